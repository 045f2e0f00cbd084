"""Evaluation by the protocols of VOC, ILSVRC and COCO, on a test split and during training."""
