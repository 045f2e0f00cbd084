"""Settings from the command line on nested frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import pytest

from pipeline.errors import PipelineError
from pipeline.overrides import override


class Order(Enum):
    RGB = "rgb"
    BGR = "bgr"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    base_lr: float = 0.001
    drops: tuple[int, ...] = (40_000, 50_000)
    iterations: int = 60_000

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations must be at least 1, but is {self.iterations}")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    schedule: Schedule = Schedule()
    expand: bool = False
    precision: Literal["fp32", "bf16"] = "fp32"
    init: str = "imagenet"
    limit: int | None = None
    order: Order = Order.BGR
    mean: tuple[float, float] = (104.0, 117.0)


def test_values_are_read_as_the_type_of_their_field():
    settings = [
        "schedule.base_lr=5e-4", "schedule.drops=10_000, 20000", "expand=true", "precision=bf16", "init=scratch",
        "limit=3", "order=RGB", "mean=(1,2)",
    ]  # fmt: skip
    assert override(Recipe(), settings) == Recipe(
        schedule=Schedule(base_lr=0.0005, drops=(10_000, 20_000)),
        expand=True,
        precision="bf16",
        init="scratch",
        limit=3,
        order=Order.RGB,
        mean=(1.0, 2.0),
    )


def test_none_and_the_empty_tuple_can_be_written():
    changed = override(Recipe(limit=3), ["limit=none", "schedule.drops="])
    assert (changed.limit, changed.schedule.drops) == (None, ())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("schedul.base_lr=1", "Recipe has no field 'schedul'; did you mean 'schedule'"),
        ("schedule.baselr=1", "Schedule has no field 'baselr'; did you mean 'base_lr'"),
        ("zzz=1", "has no field 'zzz'; it has schedule, expand"),
        ("schedule.base_lr=fast", "expected a number, got 'fast'"),
        ("schedule.iterations=1.5", "expected a whole number, got '1.5'"),
        ("expand=1", "expected one of true, false"),
        ("precision=fp8", "expected one of fp32, bf16"),
        ("order=GREY", "expected one of RGB, BGR"),
        ("mean=1", "expected 2 values"),
        ("limit=few", "expected a whole number or one of none"),
        ("schedule=1", "schedule: expected a field that can be set from text"),
        ("init.file=1", "'init' is a str and has no fields"),
        ("expand", "is no setting: write field=value"),
        ("schedule.iterations=0", "iterations must be at least 1, but is 0"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_what_would_work(setting, message):
    with pytest.raises(PipelineError) as refused:
        override(Recipe(), [setting])
    assert message in str(refused.value)
