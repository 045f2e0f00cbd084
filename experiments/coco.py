"""How does SSD do on COCO? Paper, Table 5: trained on trainval35k.

Found:  SSD512 beats Faster R-CNN, at an overlap of 0.75 by more than at 0.5, and on large objects most.
Expect: the same order of sizes; SSD512's gain is in small and medium objects.
Cost:   2 trainings at full length, 15.4 million images.
Run:    ssdpipe run coco --preset tiny
Differs: the paper's numbers are of test-dev2015, by its server; ours are of minival (val2017), which is public. The
archive for the server: ssdpipe submission coco-testdev.

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
    """The twelve names of our summary, and the paper's number where there is one."""
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
    question="How does SSD do on COCO?",
    answers="Table 5",
    found="SSD512 is the best at 0.5:0.95 and 0.75; all are weak on small objects",
    expects="the same order of sizes, and SSD512 above SSD300",
    differs="scored on minival, the paper on test-dev2015",
    row_title="method and data",
    column_title="number",
    rows=tuple(row for method, data in TABLE_5 for row in _rows(method, data)),
)
