"""The loss, the optimiser, the training loop and its checkpoints."""
