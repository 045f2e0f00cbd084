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
from pipeline.terminal import warn

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg")


SLACK = 0.02
"""Share of the frames that may be missing at the end: the number that a file states is an estimate in some formats."""


def is_video(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


def frames(file: Path, every: int = 1) -> Iterator[tuple[int, UInt8[ndarray, "H W 3"]]]:
    """Index and RGB pixels of every `every`-th frame; warns at the end of a video that is cut off.

    Raises PipelineError when the file has no frame that can be read.
    """
    capture = cv2.VideoCapture(str(file))
    number, stated = 0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
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
    if number + max(1, SLACK * stated) < stated:
        warn(f"{file} is cut off or damaged: {number:,} of its {stated:,} frames could be read")
