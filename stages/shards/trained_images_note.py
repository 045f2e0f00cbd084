"""The note shown wherever scoring on training images is allowed."""

from __future__ import annotations

TRAINED_IMAGES_ALLOWED = (
    "The scored images may include images that were trained on: the numbers do not measure how well a detector does "
    "on new images."
)
