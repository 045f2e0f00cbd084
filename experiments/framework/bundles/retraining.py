"""A row of a bundle trained again, beside the archived one: equal bits, or a number within a stated bound.

Equal bits are required where both were trained on a CPU of the same kind, with the same number of CPUs and the same
versions. Elsewhere the rounding differs, a training amplifies it, and the result is one with another seed would be: the
numbers may differ by as much as 95 % of such pairs do.

Tested in tests/experiments/framework/bundles/test_retraining.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

from experiments.framework.bundles.index import CellEntry
from experiments.framework.bundles.rebuilding import Bundle, refuse_other_config
from experiments.framework.claims.assumptions import assumption
from pipeline.errors import PipelineError
from pipeline.keys.fingerprint import class_name, describe
from pipeline.keys.settings import changed_settings
from pipeline.store.manifest import Manifest
from pipeline.store.record import read_summary
from pipeline.suggestion import suggestion
from stages.detection.detect import Detect
from stages.training.train import Train

SIGNIFICANT = 1.96
SHOWN = 5
LIBRARIES = ("numpy", "opencv-python-headless", "torch", "torchvision")
"""Libraries whose arithmetic a training uses."""


@dataclass(frozen=True, kw_only=True)
class ArchivedRow:
    """A number of the table, and the results behind it."""

    cell: CellEntry
    place: int
    """Index of the cell."""

    score: Manifest
    detections: Manifest
    training: Manifest
    value: float
    preset: str
    metric: str

    @property
    def label(self) -> str:
        return self.cell.label

    @property
    def uses_gpu(self) -> bool:
        return bool(self.training.provenance.get("resources", {}).get("gpus"))

    @property
    def cpus(self) -> int:
        """CPUs of the training, one worker's if it was on the CPU."""
        return int(self.training.provenance.get("resources", {}).get("cpus") or 1)

    @property
    def bound(self) -> float:
        """Difference that 95 % of two trainings which differ in their seed stay below."""
        return SIGNIFICANT * sqrt(2) * assumption(self.preset, self.metric).seeds.value


@dataclass(frozen=True, kw_only=True)
class Retrained:
    """The row trained again."""

    row: ArchivedRow
    training: Manifest
    detections: Manifest
    value: float

    @property
    def has_equal_bits(self) -> bool:
        pairs = ((self.row.training, self.training), (self.row.detections, self.detections))
        return all(then.digest == now.digest for then, now in pairs) and self.value == self.row.value

    @property
    def other_conditions(self) -> list[str]:
        """Why equal bits are not required; empty if they are."""
        if self.row.uses_gpu or self.training.provenance.get("resources", {}).get("gpus"):
            return ["trained on a GPU"]
        then, now = _conditions(self.row.training.provenance), _conditions(self.training.provenance)
        other = [f"{name} {then[name]} → {now[name]}" for name in then if then[name] != now[name]]
        has_other_code = self.row.training.ingredients.code != self.training.ingredients.code
        return [*other, *(["functions of the training"] if has_other_code else [])]

    @property
    def is_alike(self) -> bool:
        """Whether it has equal bits, or may have others and its number is within the bound."""
        is_near = abs(self.value - self.row.value) <= self.row.bound
        return self.has_equal_bits or (bool(self.other_conditions) and is_near)

    def text(self) -> str:
        """What came out, with the bound that applies."""
        what = f"{self.training.address}: "
        if self.has_equal_bits:
            return f"{what}weights, detections and {self.row.metric} {self.value:.4f} are equal bit for bit"
        numbers = f"{self.row.metric} is {self.value:.4f}, and {self.row.value:.4f} in the bundle"
        if not self.other_conditions:
            return f"{what}other weights, although processor, CPUs and versions are the same; {numbers}"
        source = assumption(self.row.preset, self.row.metric).source
        place = "within" if self.is_alike else "beyond"
        return (
            f"{what}{numbers}, a difference {place} {self.row.bound:.4f}, which 95 % of pairs of seeds stay below "
            f"({source}); equal bits are not required: {', '.join(self.other_conditions)}"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "stage": self.training.address,
            "equal_bits": self.has_equal_bits,
            "alike": self.is_alike,
            "metric": self.row.metric,
            "archived": self.row.value,
            "retrained": self.value,
            "bound": self.row.bound,
            "other_conditions": self.other_conditions,
        }


def archived_row(bundle: Bundle, named: str) -> ArchivedRow:
    """The first seed of a row by its label. Raises PipelineError for an unknown row and for one without a training."""
    table, keys = bundle.index.table, {entry.address: key for key, entry in bundle.index.results.items()}
    cells = [(place, cell) for place, cell in enumerate(table.cells) if named in (cell.row, cell.label)]
    if len(cells) != 1:
        known = sorted({cell.label for _, cell in (cells or enumerate(table.cells))})
        what = f"{len(cells)} numbers are called {named!r}" if cells else f"the bundle has no row {named!r}"
        raise PipelineError(f"{what}; {suggestion(named, known)}")
    (place, cell) = cells[0]
    score = bundle.manifests.get(keys.get(cell.results[0], "") if cell.results else "")
    detections = _input(bundle, score, "detections", Detect)
    training = _input(bundle, detections, "weights", Train)
    if not (score and detections and training):
        raise PipelineError(f"{cell.label} rests on no training in the bundle that detected and was scored")
    metric = cell.metric or table.metric
    return ArchivedRow(
        cell=cell,
        place=place,
        score=score,
        detections=detections,
        training=training,
        value=float(read_summary(bundle.place(score.key))[metric]),
        preset=table.preset,
        metric=metric,
    )


def refuse_other_settings(row: ArchivedRow, training: Train) -> None:
    """Raise PipelineError that names the settings by which a training here would be another one.

    Functions that differ are no reason: whether they give the same result is the question.
    """
    if lines := [str(change) for change in changed_settings(row.training.settings, describe(training).settings)]:
        raise PipelineError(f"{row.label} would be another training here: {'; '.join(lines[:SHOWN])}")
    refuse_other_config(row.training, training)


def refuse_other_inputs(row: ArchivedRow, inputs: Mapping[str, Manifest]) -> None:
    """Raise PipelineError that names the inputs of a training whose content differs; before it starts."""
    held = row.training.inputs
    changed = [held[path]["address"] for path in held if path in inputs and inputs[path].digest != held[path]["digest"]]
    if changed:
        raise PipelineError(
            f"{row.label} would be another training here: {', '.join(changed)} has other content than in the bundle. "
            "--data names the data set that it was made from"
        )


def _input(bundle: Bundle, result: Manifest | None, path: str, kind: type) -> Manifest | None:
    held = result.inputs.get(path) if result else None
    found = bundle.manifests.get(held["key"]) if held else None
    return found if found and found.ingredients.stage == class_name(kind) else None


def _conditions(provenance: Mapping[str, Any]) -> dict[str, str]:
    return dict(_named(provenance))


def _named(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "processor", str(provenance.get("machine", {}).get("processor", "unknown"))
    yield "CPUs", f"{provenance.get('resources', {}).get('cpus', 'unknown')}"
    for library in LIBRARIES:
        yield library, str(provenance.get("libraries", {}).get(library, "unknown"))
