"""Structure of `analysis.json`, the analysis of one detector, from which all its figures are drawn.

    classes, images, exact         class names, number of images, and whether ticks are read as in the original tool
    groups/<name>/detections       ticks, objects (unit of the ticks), shares by kind, recall, weak_recall
    groups/<name>/false_positives  ticks, shares by kind
    sensitivity/<class>            overall, and area and aspect by bin: value, error, objects
    confusion                      score, and counts: rows objects, columns detections, background and missed last

Shares and precisions are fractions; undefined values are null. Groups and classes without objects are omitted.
"""

from __future__ import annotations

from typing import Any

ANALYSIS = "analysis.json"

Document = dict[str, Any]
