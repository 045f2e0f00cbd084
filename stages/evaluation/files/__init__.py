"""Detection files of other programs with what they are scored against, in every form that the commands read."""
