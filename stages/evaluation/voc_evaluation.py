"""Detections on shards judged by the VOC protocol, and its metrics as a flat summary.

Tested in tests/stages/evaluation/test_evaluate.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pyarrow as pa

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.store.record import SUMMARY
from ssd_core.data.shards import ShardSet
from ssd_core.metrics.voc_ap import ClassResult, Outcomes, ScoredBoxes, class_result, judge, mean_result
from stages.evaluation.boxes import scored_boxes, stored_boxes, true_boxes
from stages.evaluation.outcomes import OUTCOMES, write_outcomes


def evaluate_on_shards(detections: Folder, shards: Folder, out: Folder, *, pixel_tolerance: float = 0.0) -> None:
    """Write the metrics of one detector on one set of shards; with a tolerance, ILSVRC's metrics."""
    rows = ShardSet(shards.path, shards.filesystem)
    outcomes = _judged(partial(stored_boxes, detections), rows, pixel_tolerance)
    results = [class_result(item) for item in outcomes]
    out.write_json(SUMMARY, (summarise_ilsvrc if pixel_tolerance else summarise)(results, rows.classes))
    with out.open_output(OUTCOMES) as stream:
        write_outcomes(stream, outcomes, images=len(rows))


def mean_ap(detections: pa.Table, shards: Folder) -> float:
    """Mean average precision (11 points) of a table of detections."""
    outcomes = _judged(partial(scored_boxes, detections), ShardSet(shards.path, shards.filesystem))
    return mean_result([class_result(item) for item in outcomes]).ap_11point


def mean_ap_by_area(detections: pa.Table, shards: Folder, *, pixel_tolerance: float) -> float:
    """Mean average precision (area under the whole curve) of a table of detections, with a tolerance as in ILSVRC."""
    outcomes = _judged(partial(scored_boxes, detections), ShardSet(shards.path, shards.filesystem), pixel_tolerance)
    return mean_result([class_result(item) for item in outcomes]).ap_area


def summarise(results: Sequence[ClassResult], classes: Sequence[str]) -> dict[str, float]:
    """`voc07/mAP` (11 points), `voc12/mAP` (area), and both metrics of each class with objects, as fractions."""
    mean = mean_result(results)
    summary = {"voc07/mAP": mean.ap_11point, "voc12/mAP": mean.ap_area}
    for name, result in zip(classes, results, strict=True):
        if result.objects:
            summary[f"voc07/AP/{name}"] = result.ap_11point
            summary[f"voc12/AP/{name}"] = result.ap_area
    return summary


def summarise_ilsvrc(results: Sequence[ClassResult], classes: Sequence[str]) -> dict[str, float]:
    """`ilsvrc/mAP` (area), and `ilsvrc/AP/<class>` of each class with objects, as fractions."""
    per_class = {f"ilsvrc/AP/{name}": item.ap_area for name, item in zip(classes, results, strict=True) if item.objects}
    return {"ilsvrc/mAP": mean_result(results).ap_area} | per_class


def _judged(
    detections: Callable[[Mapping[str, int]], ScoredBoxes], rows: ShardSet, pixel_tolerance: float = 0.0
) -> list[Outcomes]:
    """Outcomes by class; `detections` receives the index of each image id."""
    numbers, truth = true_boxes(rows)
    if truth.difficult.all():
        raise PipelineError(
            f"the {len(rows)} test images have no object that counts (difficult ones and crowds do not): "
            "there is nothing to evaluate against"
        )
    return judge(detections(numbers), truth, class_count=len(rows.classes), pixel_tolerance=pixel_tolerance)
