"""What Ray Train adds to the start of a training on one CPU, which `--in-process` would save.

Tested in tests/stages/cost/test_starts.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from pipeline.stage import Stage
from pipeline.store.record import read_curve
from pipeline.store.store import Manifest, Store
from stages.cost.prices import RECENT
from stages.training.train import Train

ASSUMED_SECONDS = {"ray train": 8.0, "in process": 2.5}
"""From the start of a training stage to its first step, where no past run shows it; measured on two cores of an AMD
EPYC (benchmarks/results/2026-11-27-starts.md)."""


@dataclass(frozen=True, kw_only=True)
class Starts:
    """The trainings of a plan that could run in the process of their stage."""

    trainings: int
    seconds: float
    """Saved in each of them."""


def starts(stages: Iterable[Stage], store: Store) -> Starts:
    """What `--in-process` would save in these stages, by the past runs of the store."""
    trainings = sum(isinstance(stage, Train) and stage.workers == 1 and not stage.use_gpu for stage in stages)
    if not trainings:
        return Starts(trainings=0, seconds=0.0)
    past = _past(store)
    known = {way: median(past[way]) if past[way] else assumed for way, assumed in ASSUMED_SECONDS.items()}
    return Starts(trainings=trainings, seconds=max(0.0, known["ray train"] - known["in process"]))


def _past(store: Store) -> dict[str, list[float]]:
    """Seconds to the first step of the newest trainings on one CPU, by where they ran."""
    found: dict[str, list[float]] = {way: [] for way in ASSUMED_SECONDS}
    trained = [each for each in store.manifests() if each.ingredients.stage == "stages.training.train.Train"]
    for manifest in trained[-RECENT:]:
        resources = manifest.provenance.get("resources", {})
        if resources.get("workers") == 1 and not resources.get("gpus"):
            found["ray train" if resources.get("nested") else "in process"] += _seconds_to_first_step(manifest, store)
    return found


def _seconds_to_first_step(manifest: Manifest, store: Store) -> list[float]:
    """One number; none if the curve is too short to show the pace, or older than the last attempt."""
    curve = read_curve(store.output(manifest))
    if len(curve) < 2:
        return []
    first, last = curve[0], curve[-1]
    pace = (last.time - first.time) / (last.step - first.step)
    seconds = first.time - pace * first.step - (manifest.finished - manifest.seconds)
    return [seconds] if seconds > 0 else []
