"""Readers: the annotated images of a split, whatever the layout on disk."""
