"""The suppression of fixed shapes as a CUDA graph: one launch for some eighty kernels of a few microseconds each.

Tested in tests/ssd_core/detection/test_decoding.py, on a GPU.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ssd_core.detection.limits import DetectionLimits
from ssd_core.detection.static_suppression import Kept, static_detections


class GraphedDetections:
    """`static_detections` for predictions of one shape, with one set of default boxes and limits.

    A call overwrites what the one before returned.
    """

    def __init__(
        self,
        locations: Tensor,
        logits: Tensor,
        default_boxes_cxcywh: Tensor,
        variances: tuple[float, float],
        limits: DetectionLimits,
    ) -> None:
        self._inputs = locations.clone(), logits.clone()

        def compute() -> Kept:
            return static_detections(*self._inputs, default_boxes_cxcywh, variances, limits)

        current = torch.cuda.current_stream(logits.device)
        aside: Any = torch.cuda.Stream(logits.device)  # type: ignore[no-untyped-call]
        aside.wait_stream(current)
        with torch.cuda.stream(aside):  # libraries allocate their workspaces at the first calls
            for _ in range(2):
                compute()
        current.wait_stream(aside)
        self._graph: Any = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):  # loaders' threads may use CUDA
            self._kept: Kept = compute()

    def __call__(self, locations: Tensor, logits: Tensor, *_: object) -> Kept:
        """Return the detections of other predictions of this shape."""
        for own, values in zip(self._inputs, (locations, logits), strict=True):
            own.copy_(values)
        self._graph.replay()
        return self._kept
