"""Training as a Ray Train job, and the first weights that it starts from."""
