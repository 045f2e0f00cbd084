"""Progress on a terminal, and the graph as a picture."""
