"""Reader of the layout of COCO: JSON files of annotations, and their images."""
