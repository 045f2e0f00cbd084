"""From stage objects to a graph, its keys, and a plan."""
