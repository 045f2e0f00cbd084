"""One invocation from start to end: preflight checks, run, interrupts, failures."""
