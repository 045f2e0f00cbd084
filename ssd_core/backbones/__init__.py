"""Backbones: VGG16 and ResNet-50, their layers and the maps at which they are split."""
