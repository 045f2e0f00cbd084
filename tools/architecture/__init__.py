"""docs/architecture.md and its drawing, generated from the code: `make architecture`."""
