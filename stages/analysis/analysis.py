"""The analysis of one detector: its document, and its main numbers as a flat summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.errors import PipelineError
from ssd_core.metrics.analysis.confusion import confusion_matrix
from ssd_core.metrics.analysis.findings import STRONG, WEAK, Findings, Kind, find
from ssd_core.metrics.analysis.groups import Groups, Names, similar_labels
from ssd_core.metrics.analysis.sensitivity import NOMINAL_SHARE, sensitivity
from ssd_core.metrics.analysis.trends import detection_trend, false_positive_trend
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes
from stages.analysis.document import Document
from stages.analysis.judging.judgements import judgements
from stages.analysis.judging.suspect_entries import suspect_entries

KINDS = {Kind.CORRECT: "Cor", Kind.LOCALISATION: "Loc", Kind.SIMILAR: "Sim", Kind.OTHER: "Oth", Kind.BACKGROUND: "BG"}
"""Names of the kinds as in the original tool."""


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """Options of an analysis."""

    similar: tuple[Names, ...] = ()
    groups: Groups = ()
    """Groups of classes; if empty, all classes form one group."""

    fixed: bool = False
    """Count background detections once when reading ticks, unlike the original tool."""

    score_threshold: float = 0.3
    """Minimum score in the confusion matrix, and of the second calibration error."""

    iou: float = STRONG
    """Minimum overlap of a correct detection."""

    pixel_extent: float = 1.0
    """Added to xmax - xmin to give a width: 1 for VOC pixels, 0 for continuous coordinates."""


def analyse(
    detections: ScoredBoxes,
    truth: TrueBoxes,
    *,
    classes: Sequence[str],
    image_ids: Sequence[str],
    options: AnalysisOptions,
) -> Document:
    """Analyse one detector.

    Raises PipelineError if no class named in the groups has objects, and for a threshold that background reaches.
    """
    if not WEAK < options.iou <= 1:
        raise PipelineError(f"the IoU of a correct detection must be above {WEAK} (background) and at most 1")
    rule: dict[str, Any] = {"iou_threshold": options.iou, "pixel_extent": options.pixel_extent}
    every_class = {
        name: find(detections, truth, label=label, similar=similar_labels(name, classes, options.similar), **rule)
        for label, name in enumerate(classes)
    }
    by_class = {name: findings for name, findings in every_class.items() if findings.objects}
    groups = _groups(options.groups or (("all", tuple(classes)),), by_class)
    matrix = confusion_matrix(
        detections, truth, class_count=len(classes), score_threshold=options.score_threshold, **rule
    )
    document = {
        "classes": list(classes),
        "images": len(image_ids),
        "iou": options.iou,
        "exact": not options.fixed,
        "groups": {
            name: _group([by_class[member] for member in members], members, fixed=options.fixed)
            for name, members in groups.items()
        },
        "sensitivity": {
            name: asdict(
                sensitivity(findings, nominal=NOMINAL_SHARE * len(image_ids), pixel_extent=options.pixel_extent)
            )
            for name, findings in by_class.items()
        },
        "confusion": {"score": options.score_threshold, "counts": matrix.tolist()},
        **judgements(detections, truth, classes, score=options.score_threshold, **rule),
        "suspects": suspect_entries(detections, truth, classes, image_ids, pixel_extent=options.pixel_extent),
    }
    plain: Document = _plain(document)
    return plain


def summarise(document: Document) -> dict[str, float]:
    """`tide/dAP/<error>`, `calibration/ECE`; `hoiem/AP_N/<class>`, and `hoiem/<group>/<kind>` and `.../recall` where
    there are as many detections as objects."""
    summary = {f"tide/dAP/{name}": item["dAP"] for name, item in document["tide"]["errors"].items()}
    if document["calibration"] and (error := document["calibration"]["error"]) is not None:
        summary["calibration/ECE"] = error
    for name, group in document["groups"].items():
        trend = group["detections"]
        place = trend["ticks"].index(1.0)
        for key in (*KINDS.values(), "recall", "weak_recall"):
            if (value := trend[key][place]) is not None:
                summary[f"hoiem/{name}/{key}"] = value
    return summary | {f"hoiem/AP_N/{name}": item["overall"]["value"] for name, item in document["sensitivity"].items()}


def _groups(groups: Groups, by_class: Mapping[str, Findings]) -> dict[str, list[str]]:
    known = {name: [member for member in members if member in by_class] for name, members in groups}
    known = {name: members for name, members in known.items() if members}
    if not known:
        named = ", ".join(member for _, members in groups for member in members)
        raise PipelineError(
            f"no class in the groups ({named}) has an object that counts; "
            f"classes with objects: {', '.join(by_class) or 'none'}"
        )
    return known


def _group(findings: Sequence[Findings], members: Sequence[str], *, fixed: bool) -> Document:
    detections = detection_trend(findings, fixed=fixed)
    false_positives = false_positive_trend(findings, fixed=fixed)
    names = list(KINDS.values())
    return {
        "classes": list(members),
        "detections": {
            "objects": detections.objects,
            "ticks": detections.ticks,
            **dict(zip(names, detections.shares.T, strict=True)),
            "recall": detections.recall,
            "weak_recall": detections.weak_recall,
        },
        "false_positives": {
            "ticks": false_positives.ticks,
            **dict(zip(names[1:], false_positives.shares.T, strict=True)),
        },
    }


def _plain(value: Any) -> Any:
    """The value prepared for JSON: arrays and tuples as lists, NaN as None."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(value)
    if isinstance(value, np.integer):
        return int(value)
    return value
