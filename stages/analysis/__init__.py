"""Why detections fail, as numbers and figures."""
