"""Weights files: those of this project, initial weights, and those of other programs."""
