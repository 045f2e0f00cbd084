"""The augmentation of a training: crop, zoom-out, colour distortion, flip."""
