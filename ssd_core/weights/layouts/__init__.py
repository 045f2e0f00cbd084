"""One file for each program whose weights are understood."""
