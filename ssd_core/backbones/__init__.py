"""The networks in front: VGG16 and ResNet-50, their layers and how they are cut into maps."""
