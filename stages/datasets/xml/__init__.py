"""Layouts with one XML file per image: VOC and ILSVRC DET."""
