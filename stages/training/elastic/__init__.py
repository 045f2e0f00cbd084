"""Trainings whose number of workers changes: groups that resize, and the record that it stays the same training."""
