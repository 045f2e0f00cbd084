"""The suppression of fixed shapes as CUDA graphs: one launch for some forty kernels of a few microseconds each.

A graph is captured when predictions of its shape come for the second time, so that a last, smaller batch costs nothing.
The graphs of a device share their memory: about 12 bytes for each logit of the largest shape, plus a copy of the
predictions for each shape. Threads take turns.

Tested in tests/ssd_core/detection/test_graphed.py, on a GPU.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ssd_core.detection.fused import packed_detections
from ssd_core.detection.limits import DetectionLimits
from ssd_core.detection.packing import Flat, Packed

MOST_GRAPHS = 8
"""Number of graphs kept for a device; beyond it, the one that was used least recently is dropped."""

MOST_LOGITS = 2**25
"""Logits of a batch up to which it is graphed: 180 images of SSD300. Beyond it, launches take no part of the time."""

_log = logging.getLogger(__name__)


class Arguments(NamedTuple):
    """Arguments of the suppression."""

    locations: Float[Tensor, "B K 4"]
    logits: Float[Tensor, "B K C"]
    default_boxes_cxcywh: Float[Tensor, "K 4"]
    variances: tuple[float, float]
    limits: DetectionLimits

    @property
    def key(self) -> tuple[object, ...]:
        """What a graph is captured for."""
        return (*((each.shape, each.dtype) for each in self[:3]), *self[3:])


def graphed_detections(
    locations: Float[Tensor, "B K 4"],
    logits: Float[Tensor, "B K C"],
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    variances: tuple[float, float],
    limits: DetectionLimits,
) -> tuple[Flat, list[bool]]:
    """Return the detections among the best candidates of each image, and for each image whether these are all."""
    predictions = Arguments(locations, logits, default_boxes_cxcywh, variances, limits)
    found = None
    if not ungraphed_reason(predictions):
        found = _graphs(logits.device).detections(predictions)
    return found or packed_detections(*predictions).read()


def ungraphed_reason(predictions: Arguments) -> str:
    """Return why these predictions are converted without a graph; empty if they can have one."""
    if not predictions.logits.is_cuda:
        return "predictions are not on a GPU"
    if torch.compiler.is_compiling() or torch.cuda.is_current_stream_capturing():
        return "the caller is being compiled or captured itself"
    if predictions.logits.numel() > MOST_LOGITS:
        return "the batch is so large that launches take no part of the time"
    return ""


class _DeviceGraphs:
    """Graphs of one device. They run one after another, since they share their memory."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._lock = Lock()
        self._graphs: OrderedDict[tuple[object, ...], GraphedDetections | str] = OrderedDict()
        """Graph by key, or why there is none."""

        self._pool: Any = torch.cuda.graph_pool_handle()
        self._copied: Any = torch.cuda.Event()  # type: ignore[no-untyped-call]

    def detections(self, predictions: Arguments) -> tuple[Flat, list[bool]] | None:
        """Return what `graphed_detections` does, or None if there is no graph for these predictions."""
        with self._lock, torch.cuda.device(self.device):
            graph = self._graph(predictions)
            if isinstance(graph, str):
                return None
            self._copied.wait()  # another thread's stream may still copy from the shared memory
            found = graph(*predictions).read()
            self._copied.record()
            return found

    def _graph(self, predictions: Arguments) -> GraphedDetections | str:
        key = predictions.key
        if key not in self._graphs:
            self._graphs[key] = FIRST
        elif self._graphs[key] == FIRST:
            self._graphs[key] = self._captured(predictions)
        self._graphs.move_to_end(key)
        if len(self._graphs) > MOST_GRAPHS:
            self._graphs.popitem(last=False)
        return self._graphs[key]

    def _captured(self, predictions: Arguments) -> GraphedDetections | str:
        try:
            return GraphedDetections(predictions, pool=self._pool)
        except RuntimeError as error:  # out of memory, or an operator that cannot be captured
            _log.warning("the suppression runs without a CUDA graph: %s", error)
            return str(error)


FIRST = "predictions of this shape came for the first time"


@cache
def _graphs(device: torch.device) -> _DeviceGraphs:
    return _DeviceGraphs(device)


class GraphedDetections:
    """The suppression of predictions of one shape. A call overwrites what the one before returned."""

    def __init__(
        self, predictions: Arguments, *, compute: Callable[..., Packed] = packed_detections, pool: Any = None
    ) -> None:
        precision = torch.promote_types(predictions.logits.dtype, torch.float32)
        with torch.inference_mode(False), torch.no_grad():
            self._inputs = tuple(values.to(precision, copy=True) for values in predictions[:3])
            current = torch.cuda.current_stream()
            aside: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(current)
            with torch.cuda.stream(aside):  # kernels are compiled, and libraries allocate, at the first calls
                for _ in range(2):
                    compute(*self._inputs, *predictions[3:])
            current.wait_stream(aside)
            self._graph: Any = torch.cuda.CUDAGraph()
            # other threads, such as those of loaders, may use CUDA meanwhile
            with torch.cuda.graph(self._graph, pool=pool, capture_error_mode="thread_local"):
                self._packed = compute(*self._inputs, *predictions[3:])

    def __call__(
        self,
        locations: Float[Tensor, "B K 4"],
        logits: Float[Tensor, "B K C"],
        default_boxes_cxcywh: Float[Tensor, "K 4"],
        *_: object,
    ) -> Packed:
        """Return the detections of other predictions of this shape."""
        for own, values in zip(self._inputs, (locations, logits, default_boxes_cxcywh), strict=True):
            own.copy_(values)
        self._graph.replay()
        return self._packed
