"""One invocation from graph to end: preflight, run, interrupts, failures."""
