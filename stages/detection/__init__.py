"""Detection over shards, split into tasks; the table of detections."""
