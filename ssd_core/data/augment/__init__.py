"""The augmentation of a training: crop, zoom out, colours, flip."""
