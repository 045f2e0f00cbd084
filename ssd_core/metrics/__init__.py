"""Average precision as VOC and ILSVRC define it, overlaps, the bootstrap."""
