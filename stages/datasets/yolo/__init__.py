"""Reader of the layout of YOLO: text files of labels beside the images, and a YAML or a file of class names."""
