"""From stage objects to a graph, its keys, and what a run would do."""
