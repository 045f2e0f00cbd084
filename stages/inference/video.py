"""Frames of a video, decoded by OpenCV, by their index from 0.

Tested in tests/stages/inference/test_sources.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
from jaxtyping import UInt8
from numpy import ndarray

from pipeline.errors import PipelineError

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg")


def is_video(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


def frames(file: Path, every: int = 1) -> Iterator[tuple[int, UInt8[ndarray, "H W 3"]]]:
    """Index and RGB pixels of every `every`-th frame. Raises PipelineError when the file has none that can be read."""
    capture = cv2.VideoCapture(str(file))
    number = 0
    try:
        while capture.grab():
            if number % every == 0:
                whole, bgr = capture.retrieve()
                if not whole:
                    break
                yield number, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            number += 1
    finally:
        capture.release()
    if not number:
        raise PipelineError(f"{file}: not a video that OpenCV can read")
