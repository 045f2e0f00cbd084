"""Shrinks the picture of right and wrong detections that `make demo` draws, for README.

After `make demo`: `.venv/bin/python -m tools.demo_picture`. Tested in tests/tools/test_demo_picture.py.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pipeline.store.lookup import find_result
from pipeline.store.store import Store
from stages.analysis.detection_pictures import CROPS

STAGE = "pictures/all-six/seed0"
"""The detector that predicts from all six maps."""

PICTURE = Path("docs/demo.jpg")
WIDTH = 900
QUALITY = 80


def shrink(store: Store, picture: Path) -> None:
    """Write the newest picture of the store, `WIDTH` pixels wide."""
    drawn = store.output(find_result(store, STAGE)).read_bytes(CROPS)
    whole = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR)
    assert whole is not None, "the stage wrote a JPEG"
    height = round(whole.shape[0] * WIDTH / whole.shape[1])
    small = cv2.resize(whole, (WIDTH, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(picture), small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


if __name__ == "__main__":
    shrink(Store.open("ssdpipe-store"), PICTURE)
