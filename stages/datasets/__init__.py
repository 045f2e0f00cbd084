"""Readers, which present the annotated images of a split in one form for every layout on disk."""
