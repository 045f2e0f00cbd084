"""What is claimed, and what the results in a store show of it."""
