"""docs/architecture.md and its drawing, made from the code itself: `make architecture`."""
