"""Sections 3.1 and 3.6, Figures 3, 4 and 6: what SSD gets wrong, by the method of Hoiem et al.

Tested in tests/experiments/framework/claims/test_judging.py.
"""

from __future__ import annotations

import json
from functools import partial
from statistics import mean
from typing import Literal

from experiments.framework.claims.claim import AtLeast, Claim, Difference, GainsMore, Recorded
from experiments.published import FIGURE_4
from pipeline.folder import Folder
from stages.analysis.document import ANALYSIS

Property = Literal["area", "aspect"]
Bins = tuple[int, ...]

RUNS = {"SSD300": "ssd300-voc0712", "SSD512": "ssd512-voc0712", "SSD300*": "ssd300-expand-voc0712"}
SMALLEST: Bins = (0,)
LARGEST: Bins = (4,)
MIDDLE: Bins = (2,)
EXTREMES: Bins = (0, 4)
"""Of the five bins of a property, each with a tenth of the objects in the outer two."""


def _share(kind: str, group: str) -> Recorded:
    """Share of a kind among as many detections as there are objects, of SSD512."""
    return Recorded("analyze/ssd512-voc0712", f"hoiem/{group}/{kind}", error=0.02)


def _precision(detector: str, of: Property, bins: Bins) -> Recorded:
    """Normalised average precision in some bins, mean over classes."""
    published = FIGURE_4.get(detector, {})
    values = [getattr(each, of)[place] for each in published.values() for place in bins]
    return Recorded(
        f"analyze/{RUNS[detector]}",
        f"normalised AP by {of}",
        error=0.03,
        published=mean(values) if values else None,
        read=partial(_mean_precision, of=of, bins=bins),
    )


def _mean_precision(analysis: Folder, *, of: Property, bins: Bins) -> float | None:
    by_class = json.loads(analysis.read_bytes(ANALYSIS))["sensitivity"].values()
    values = [each[of][place]["value"] for each in by_class for place in bins]
    known = [value for value in values if value is not None]
    return mean(known) if known else None


ERRORS = {
    "error-analysis": (
        Claim(
            "SSD512 confuses similar animals more often than it misplaces boxes.",
            Difference(_share("Sim", "animals"), _share("Loc", "animals")),
            section="3.1",
        ),
        Claim(
            "SSD512 finds 85 % or more of the vehicles.",
            AtLeast(_share("recall", "vehicles"), 0.85),
            section="3.1",
        ),
        Claim(
            "SSD300 is far worse at the smallest objects than at the largest.",
            Difference(_precision("SSD300", "area", LARGEST), _precision("SSD300", "area", SMALLEST)),
            section="3.1",
        ),
        Claim(
            "A larger input helps with the smallest objects.",
            Difference(_precision("SSD512", "area", SMALLEST), _precision("SSD300", "area", SMALLEST)),
            section="3.1",
        ),
        Claim(
            "Aspect ratio matters far less than size.",
            GainsMore(
                Difference(_precision("SSD300", "area", LARGEST), _precision("SSD300", "area", SMALLEST)),
                Difference(_precision("SSD300", "aspect", MIDDLE), _precision("SSD300", "aspect", EXTREMES)),
            ),
            section="3.1",
        ),
        Claim(
            "Zoomed-out images in training help with the smallest objects.",
            Difference(_precision("SSD300*", "area", SMALLEST), _precision("SSD300", "area", SMALLEST)),
            section="3.6",
        ),
    ),
}
