"""Annotated images, checked and packed into Parquet shards; images shared by training and test sets."""
