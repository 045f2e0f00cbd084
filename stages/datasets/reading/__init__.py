"""The one way in for text, values and image names, shared by the readers of annotations, results and detections."""
