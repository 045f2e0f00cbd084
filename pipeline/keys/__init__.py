"""Keys: what a stage computes, as a canonical value and its hash."""
