"""Training as a Ray Train job, and the initial weights that it starts from."""
