"""Annotated images, checked and packed into Parquet; leaks between splits."""
