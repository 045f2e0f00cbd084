"""Default boxes, coordinate frames, offset coding, matching."""
