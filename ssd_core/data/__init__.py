"""Shards, their order, and the streams of batches for training and evaluation."""
