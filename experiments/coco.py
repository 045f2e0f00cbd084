"""How does SSD perform on COCO? Paper, Table 5: trained on trainval35k.

Found:  SSD512 beats Faster R-CNN, by more at an IoU of 0.75 than at 0.5, and most on large objects.
Expect: the same order of object sizes; SSD512 gains on small and medium objects.
Cost:   2 trainings at full length, 15.4 million images.
Run:    ssdpipe run coco --preset tiny
Differs: the paper's numbers are on test-dev2015, scored by the server; ours are on minival (val2017), whose annotations
are public. `ssdpipe submission coco-testdev` writes the archive for the server.

Tested in tests/experiments/framework/test_loading.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from experiments.published import TABLE_5
from experiments.published.coco import CocoRow

_SIZES, _NUMBERS = ("s", "m", "l"), ("1", "10", "100")


def printed(row: CocoRow) -> Iterator[tuple[str, float | None]]:
    """The twelve metrics of our summary, each with the paper's number where it prints one."""
    yield from (("AP", row.ap), ("AP50", row.ap50), ("AP75", row.ap75))
    for kind, values, names in (("AP", row.ap_by_size, _SIZES), ("AR", row.ar_by_number, _NUMBERS)):
        yield from zip((f"{kind}{name}" for name in names), values or (None,) * 3, strict=True)
    yield from zip((f"AR{name}" for name in _SIZES), row.ar_by_size or (None,) * 3, strict=True)


def _rows(method: str, data: str) -> list[Row]:
    run = RUNS[f"{method.lower()}-coco"] if method.startswith("SSD") else None
    return [
        Row(label=f"{method} {data}", run=run, column=name, metric=f"coco/{name}", published=number)
        for name, number in printed(TABLE_5[method, data])
    ]


experiment = Experiment(
    name="coco",
    question="How does SSD perform on COCO?",
    answers="Table 5",
    found="SSD512 is best at 0.5:0.95 and 0.75; all detectors are weak on small objects",
    expects="the same order of object sizes, and SSD512 above SSD300",
    differs="ours is scored on minival, the paper's on test-dev2015",
    row_title="method and data",
    column_title="metric",
    rows=tuple(row for method, data in TABLE_5 for row in _rows(method, data)),
)
