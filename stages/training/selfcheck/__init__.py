"""Proof that a group of workers computes together: an exact sum, and a few steps beside those of one worker."""
