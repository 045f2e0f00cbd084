"""What is said wherever images that were trained on are allowed among those that are scored."""

from __future__ import annotations

TRAINED_IMAGES_ALLOWED = (
    "Images that were trained on are allowed among those that are scored: no measure of how well a detector does on "
    "new images."
)
