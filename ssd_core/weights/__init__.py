"""Weights files: ours, first weights, and those of other programs."""
