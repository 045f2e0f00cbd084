"""From raw network outputs to detections: decoding, suppression, limits, speed."""
