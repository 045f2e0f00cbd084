"""Searches over settings: which setting makes a difference, and which values are best."""
