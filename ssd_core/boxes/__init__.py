"""Default boxes, frames, offsets, matching."""
