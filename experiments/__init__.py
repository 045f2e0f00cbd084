"""Experiments: one file for each question about the paper."""
