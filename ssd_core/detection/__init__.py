"""From raw outputs to detections: decoding, suppression, limits, speed."""
