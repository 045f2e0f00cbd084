"""The detector as a torch module, its precision, and its cost."""
