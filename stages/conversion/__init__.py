"""Write a data set of any layout in the layout of VOC, COCO or YOLO."""
