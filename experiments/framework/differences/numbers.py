"""Numbers of two results side by side; of average precisions on the same images also the interval of the difference.

Tested in tests/experiments/cli/runs/test_diff.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.store.manifest import Manifest
from pipeline.store.record import read_summary
from pipeline.store.store import Store
from stages.tables.resampling import METRICS, mean_sample, resampled
from stages.tables.support import Bounds

REPLICATES = 1000
Pair = tuple[Manifest, Manifest]


@dataclass(frozen=True, kw_only=True)
class NumberChange:
    """A number of both sides; of a table, the means over the seeds that both have."""

    name: str
    before: float
    after: float
    interval: Bounds | None = None
    """95 % interval of the difference over resampled test images; None if the images differ or none are recorded."""

    @property
    def difference(self) -> float:
        return self.after - self.before


def number_changes(store: Store, pairs: Iterable[Pair]) -> Iterator[NumberChange]:
    """Main metrics and numbers that differ: of results, of the evaluations of trainings, of the cells of tables."""
    pairs = list(pairs)
    for old, new in pairs:
        label = f"{new.address}: " if len(pairs) > 1 else ""
        if _cells(old):
            yield from _of_tables(store, old, new)
        elif old.address.startswith("train/"):
            yield from _of_results(store, _evaluations_of(store, old, new), label)
        else:
            yield from _of_results(store, [(old, new)], label)


@dataclass(frozen=True)
class _Cell:
    metric: str
    keys: Mapping[int, str]
    """Keys of its results by seed."""


def _of_tables(store: Store, old: Manifest, new: Manifest) -> Iterator[NumberChange]:
    ours, theirs = _cells(old), _cells(new)
    for label in (label for label in ours if label in theirs):
        metric, keys = ours[label].metric, theirs[label].keys
        found = [(store.find(key), store.find(keys[seed])) for seed, key in ours[label].keys.items() if seed in keys]
        pairs = [(before, after) for before, after in found if before and after]
        yield from _of_results(store, pairs, f"{label}: ", [metric])


def _cells(table: Manifest) -> dict[str, _Cell]:
    """Cells with results, by label."""
    keys: dict[int, dict[int, str]] = {}
    for path, held in table.inputs.items():
        if match := re.fullmatch(r"cells\[(\d+)\]\.results\[(\d+)\]", path):
            keys.setdefault(int(match[1]), {})[int(match[2])] = held["key"]
    cells = table.settings["cells"] if keys else []
    labels = {index: f"{cell['row']} {cell['column']}".strip() for index, cell in enumerate(cells)}
    return {labels[index]: _Cell(cells[index]["metric"] or table.settings["metric"], keys[index]) for index in keys}


def _evaluations_of(store: Store, old: Manifest, new: Manifest) -> list[Pair]:
    """The newest evaluations of two trainings on the same images, or else on any."""
    before, after = _evaluations(store, old), _evaluations(store, new)
    shared = [images for images in before if images in after]
    if shared:
        return [(before[shared[-1]], after[shared[-1]])]
    return [(list(before.values())[-1], list(after.values())[-1])] if before and after else []


def _evaluations(store: Store, training: Manifest) -> dict[str, Manifest]:
    """{digest of the test images: evaluation of a training}, newest last."""
    found = [each for each in store.manifests() if _training(each) == training.key]
    newest = {_images(each): each for each in found if each.address.startswith("evaluate")}
    return dict(sorted(newest.items(), key=lambda item: item[1].finished))


def _training(evaluation: Manifest) -> str:
    return evaluation.inputs["training"]["key"] if "training" in evaluation.inputs else ""


def _images(evaluation: Manifest) -> str:
    return evaluation.inputs["shards"]["digest"] if "shards" in evaluation.inputs else ""


def _of_results(
    store: Store, pairs: list[Pair], label: str, metrics: Iterable[str] | None = None
) -> Iterator[NumberChange]:
    """The means of the metrics; without any, of the main ones and the numbers that differ."""
    sides = [[read_summary(store.output(pair[side])) for pair in pairs] for side in (0, 1)]
    same_images = all(_images(old) == _images(new) != "" for old, new in pairs)
    has_interval = False
    for name in metrics or (sides[0][0] if pairs else ()):
        if not pairs or not all(name in summary for side in sides for summary in side):
            continue
        before, after = (_mean(side, name) for side in sides)
        if before != after or name in METRICS or metrics:
            bounds = _interval(store, pairs, name) if same_images and not has_interval else None
            has_interval |= bounds is not None  # of the main metric only: resampling takes seconds
            yield NumberChange(name=label + name, before=before, after=after, interval=bounds)


def _mean(summaries: list[dict[str, float]], name: str) -> float:
    return sum(summary[name] for summary in summaries) / len(summaries)


def _interval(store: Store, pairs: list[Pair], name: str) -> Bounds | None:
    from ssd_core.metrics.bootstrap import interval

    samples = [
        resampled(name, {seed: store.output(pair[side]) for seed, pair in enumerate(pairs)}, REPLICATES)
        for side in (0, 1)
    ]
    if not all(samples):
        return None
    old, new = (mean_sample(side, side) for side in samples)  # over all seeds
    return interval(new - old)
