"""A report with everything a page can hold, with long names and many classes. The numbers are invented for layout."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

from ssd_core.spec.vocabularies import VOC_CLASSES
from stages.figures.style import new_figure, png_and_svg
from stages.reporting.content import Curve, Errors, Image, Report, RunLink
from stages.tables.content import Line, TableContent

LAYERS = ("conv4_3", "conv7", "conv8_2", "conv9_2", "conv10_2", "conv11_2")


def lines() -> tuple[Line, ...]:
    """Two columns of six rows; the last two rows were not run."""
    rng = np.random.default_rng(0)
    found = []
    for place in range(12):
        mean, change = 0.743 - 0.02 * place, -0.02 * place + 0.004
        run = place < 10
        classes = dict(zip(VOC_CLASSES, (mean + rng.uniform(-0.2, 0.2, 20)).tolist(), strict=True))
        found.append(
            Line(
                row=" ".join(LAYERS[: 6 - place % 6]),
                column="yes" if place < 6 else "no",
                boxes=8732 - 17 * place,
                published=mean,
                values=(mean + 0.002, mean + 0.006) if run else (),
                metric="voc07/mAP",
                published_classes=classes if place < 2 else {},
                interval=(mean - 0.008, mean + 0.016) if run else None,
                published_change=-0.02 * place if place else None,
                change=change if run and place else None,
                change_interval=(change - 0.025, change + 0.022) if run and place else None,
                per_class={name: value + 0.01 for name, value in classes.items()} if run else {},
            )
        )
    return tuple(found)


def curve(place: int, seed: int) -> Curve:
    steps = range(20, 2020, 20)
    losses = tuple((step, 3 + 9 * exp(-step / 300) + 0.1 * place + 0.05 * seed) for step in steps)
    rates = tuple((step, 1e-3 if step < 1500 else 1e-4) for step in steps)
    checks = tuple((step, 0.7 * (1 - exp(-step / 500)) - 0.02 * place) for step in range(500, 2001, 500))
    name = " ".join(LAYERS[: 6 - place])
    return Curve(row=name, values={"loss": losses, "learning_rate": rates, "validation/mAP": checks})


def figure() -> dict[str, bytes]:
    drawn = new_figure(12, 4)
    drawn.subplots().plot([0, 1], [0, 1])
    return png_and_svg(drawn)


def errors(row: str, *, suspected: int) -> Errors:
    costs = {name: {"count": 10, "dAP": 0.0123} for name in ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")}
    suspect = {"image": "2008_000123", "fault": "class", "annotated": "diningtable", "detected": "sofa"} | {
        "suspicion": 0.87,
        "box": [10.5, 20.25, 300.125, 200.0],
    }
    return Errors(
        row=row,
        document={
            "tide": {"errors": costs},
            "calibration": {"error": 0.045} if suspected else None,
            "suspects": [suspect] * suspected,
        },
    )


@pytest.fixture(scope="session")
def report() -> Report:
    found = figure()
    settings = (("schedule.iterations", "6000", "60000"), ("spec." + "very_long_name." * 6 + "end", "a" * 80, ""))
    table = TableContent(
        title="Table 3: Does it help to predict from several maps?",
        preset="short",
        row_title="source layers",
        column_title="boundary boxes",
        cells=(),
        departures=settings,
    )
    return Report(
        name="ablation-layers",
        heading="Table 3",
        question="Does it help to predict from several maps? 1 < 2 & <b>",
        remarks=(("Paper", "Accuracy falls as maps go."), ("Expected", "The same."), ("Differs", "")),
        warnings=("Trained and tested on /a/very/long/path/to/images/of/ones/own: other images.",),
        table=table,
        lines=lines(),
        departures=(("conv7", (("spec.sources", "conv7", "six"), ("schedule.drops", "1,2", "4,5"))),),
        curves=tuple(curve(place, seed) for place in range(6) for seed in range(2)),
        images=tuple(Image(stage="analyze/ssd300", name=f"trends.{kind}", content=found[kind]) for kind in found),
        errors=(errors("analyze/ssd300-expand-voc0712", suspected=30), errors("analyze/ssd512", suspected=0)),
        conditions=(
            ("machine", ("host, AMD EPYC 9654 96-Core Processor, 192 CPUs, 8 × NVIDIA H200, Linux-6.18-x86_64",)),
            ("commit", ("0123456789ab, with uncommitted changes (digest 0123456789abcdef)",)),
            ("commands", ("ssdpipe run ablation-layers --preset short -s " + "schedule.iterations=6000 " * 8,)),
        ),
        runs=(RunLink(stage="train/all-six/seed0", run="0123456789abcdef", url="http://127.0.0.1:5000/#/a"),),
        runs_note="The links work while `ssdpipe ui` runs.",
        digest="d1",
        waiting=("train/conv7-only/seed0",),
    )
