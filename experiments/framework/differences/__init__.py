"""What differs between two results, runs or files of weights."""
