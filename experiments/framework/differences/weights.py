"""How two files of weights differ: the specification by the names of `-s`, and the tensors.

Tested in tests/experiments/cli/runs/test_diff.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.keys.settings import ABSENT, Change
from pipeline.planning.changes import changed_values
from ssd_core.spec.departures import leaves

if TYPE_CHECKING:
    from torch import Tensor

    from ssd_core.weights.weights import Weights


@dataclass(frozen=True, kw_only=True)
class TensorChange:
    """A tensor of two files."""

    name: str
    largest: float | None = None
    """Largest absolute difference of an element; None where a side lacks the tensor or shapes differ."""

    relative: float | None = None
    """Norm of the difference divided by that of the first."""

    shapes: str = ""
    """Both shapes if they differ."""


@dataclass(frozen=True, kw_only=True)
class WeightDifference:
    before: str
    after: str
    settings: tuple[Change, ...]
    tensors: tuple[TensorChange, ...]
    equal: int
    """Number of tensors that are equal in every bit."""


def compare_weights(before: Weights, after: Weights, names: tuple[str, str]) -> WeightDifference:
    specs = [dict(leaves(each.spec, "spec")) for each in (before, after)]
    tensors = list(_tensors(before.state, after.state))
    return WeightDifference(
        before=names[0],
        after=names[1],
        settings=tuple(changed_values(specs[0], specs[1])),
        tensors=tuple(tensors),
        equal=len(before.state.keys() & after.state.keys())
        - sum(each.name in before.state and each.name in after.state for each in tensors),
    )


def _tensors(old: dict[str, Tensor], new: dict[str, Tensor]) -> Iterator[TensorChange]:
    import torch

    for name in (*old, *(name for name in new if name not in old)):
        shapes = [str(tuple(side[name].shape)) if name in side else ABSENT for side in (old, new)]
        if shapes[0] != shapes[1]:
            yield TensorChange(name=name, shapes=f"{shapes[0]} → {shapes[1]}")
        elif not torch.equal(old[name], new[name]):
            change = new[name].double() - old[name].double()
            norm = float(old[name].double().norm())
            relative = float(change.norm()) / norm if norm else None
            yield TensorChange(name=name, largest=float(change.abs().max()), relative=relative)
