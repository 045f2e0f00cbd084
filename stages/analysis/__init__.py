"""Error analysis of detections, as numbers and figures."""
