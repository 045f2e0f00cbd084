"""Archives for the servers of VOC2012 and COCO test-dev."""
