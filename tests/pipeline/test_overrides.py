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
class Scale:
    size: float = 30
    ratios: tuple[float, ...] = (2,)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    base_lr: float = 0.001
    drops: tuple[int, ...] = (40_000, 50_000)
    iterations: int = 60_000

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations must be at least 1, but is {self.iterations}")


@dataclass(frozen=True, kw_only=True)
class Source:
    layer: str
    step: float
    scales: tuple[Scale, ...] = (Scale(), Scale())

    def __post_init__(self) -> None:
        if self.step <= 0:
            raise ValueError(f"step must be above 0, but is {self.step}")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    schedule: Schedule = Schedule()
    expand: bool = False
    precision: Literal["fp32", "bf16"] = "fp32"
    init: str = "imagenet"
    limit: int | None = None
    order: Order = Order.BGR
    mean: tuple[float, float] = (104.0, 117.0)
    sources: tuple[Source, ...] = (Source(layer="conv4_3", step=8), Source(layer="conv7", step=16))
    crop: Scale | None = None
    sides: tuple[int, ...] | None = None


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


def test_an_item_of_a_tuple_is_named_by_its_index_or_by_the_text_in_its_first_field():
    settings = [
        "sources.0.step=4", "sources.conv7.scales.1.size=60", "sources.1.scales.0.ratios=2,3", "schedule.drops.1=45000",
        "mean.0=1",
    ]  # fmt: skip
    assert override(Recipe(), settings) == Recipe(
        sources=(
            Source(layer="conv4_3", step=4),
            Source(layer="conv7", step=16, scales=(Scale(ratios=(2.0, 3.0)), Scale(size=60))),
        ),
        schedule=Schedule(drops=(40_000, 45_000)),
        mean=(1.0, 117.0),
    )


def test_items_of_an_optional_tuple_keep_their_type():
    changed = override(Recipe(), ["sides=1,2", "sides.1=5"])
    assert changed.sides == (1, 5)
    with pytest.raises(PipelineError, match=r"sides\.1: expected a whole number, got '0\.5'"):
        override(changed, ["sides.1=0.5"])


def test_a_path_may_begin_with_the_name_of_the_whole():
    named = override(Recipe(), ["recipe.schedule.base_lr=5e-4", "expand=true"], root="recipe")
    assert named == override(Recipe(), ["schedule.base_lr=5e-4", "expand=true"])
    with pytest.raises(PipelineError, match="Recipe has no field 'recipe'"):
        override(Recipe(), ["recipe=1"], root="recipe")


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
        ("schedule.iterations=1e3", "expected a whole number, got '1e3'"),
        ("schedule.base_lr=nan", "expected a finite number, got 'nan'"),
        ("schedule.drops=1,two", "expected a whole number"),
        ("init.file=1", "'imagenet' is a str and has no part 'file'"),
        ("crop.size=1", "None is a NoneType and has no part 'size'"),
        ("base_lr=1", "Recipe has no field 'base_lr'; did you mean 'schedule.base_lr'"),
        ("precision=bf61", "expected one of fp32, bf16 (did you mean 'bf16'?)"),
        ("sources.2.step=1", "there is no part '2'; there are: 0, 1, conv4_3, conv7"),
        ("sources.conv_7.step=1", "there is no part 'conv_7'; did you mean 'conv7'"),
        ("sources.0.stride=1", "Source has no field 'stride'"),
        ("sources.0.step=0", "step must be above 0, but is 0"),
        ("sources.0=conv7", "sources.0: expected a field that can be set from text, not a Source"),
        ("schedule.drops.2=1", "there is no part '2'; there are: 0, 1"),
        ("sides.0=1", "None is a NoneType and has no part '0'"),
        ("expand", "is not a setting: write field=value"),
        ("schedule.iterations=0", "iterations must be at least 1, but is 0"),
    ],
)
def test_an_invalid_setting_is_refused_with_what_would_work(setting, message):
    with pytest.raises(PipelineError) as refused:
        override(Recipe(), [setting])
    assert message in str(refused.value)
