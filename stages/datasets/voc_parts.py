"""The folders of a data set in VOC's layout."""

from __future__ import annotations

ANNOTATIONS, IMAGES, SPLITS = "Annotations", "JPEGImages", "ImageSets/Main"
