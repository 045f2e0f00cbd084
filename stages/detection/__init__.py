"""A detector over shards, in shares; the table of detections."""
