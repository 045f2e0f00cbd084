"""Structure of `analysis.json`, the analysis of one detector, from which all its figures are drawn.

    classes, images, exact         class names, number of images, and whether ticks are read as in the original tool
    iou                            minimum overlap of a correct detection
    groups/<name>/detections       ticks, objects (unit of the ticks), shares by kind, recall, weak_recall
    groups/<name>/false_positives  ticks, shares by kind
    sensitivity/<class>            overall, and area and aspect by bin: value, error, objects
    confusion                      score, and counts: rows objects, columns detections, background and missed last
    tide                           AP, errors/<error> with dAP and count, false_positives, false_negatives
    precision_recall/<class>       AP, and the steps of the curve: recall and precision
    calibration                    by tenth of the score: counts, scores, precision; error, and error_above a score;
                                   null when scores are no probabilities
    suspects                       image, fault, annotated and detected class, suspicion, box (xmin, ymin, xmax, ymax)

Shares and precisions are fractions; undefined values are null. Groups and classes without objects are omitted.
"""

from __future__ import annotations

from typing import Any

ANALYSIS = "analysis.json"

Document = dict[str, Any]
