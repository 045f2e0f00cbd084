"""The detector as a module, its precision, and its cost."""
