"""What a stage computes, as one value and its hash: the key."""
