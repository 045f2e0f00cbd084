"""Drawing of the embedded data set: pure functions of a random generator that return arrays."""
