"""Estimates of what a run will cost: arithmetic, time, disk."""
