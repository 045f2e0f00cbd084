"""Backbones: VGG16, ResNet-50 and MobileNetV3, their layers and the maps at which they are split."""
