"""Settings that differ between two trainings, and the trainings between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from experiments.cli.requests.request import with_settings
from experiments.framework.loading import named_setup
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from experiments.framework.search.sides import Pair, Setting, Side, differences, merged, pair_of, side_of
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from ssd_core.spec.recipe import Recipe
from stages.placement import Placement
from stages.training.train import Train


def setup(*settings: str, recipe: str = "ssd-tiny") -> Setup:
    return with_settings(named_setup(recipe), settings)


def pair(a: Setup, b: Setup) -> Pair:
    sides = [side_of(Graph([each.evaluation()]), f"train/{each.variant}") for each in (a, b)]
    return pair_of(sides[0], sides[1], "bisect-1")


def names(of: Pair) -> Sequence[str]:
    return [setting.name for setting in of.settings]


def test_settings_are_named_as_s_takes_them_also_those_of_the_detection() -> None:
    found = pair(
        setup(),
        setup(
            "schedule.base_lr=0.01",
            "optimiser=sgd",
            "spec.sources.conv7.step=9",
            "limits.per_image=50",
            "schedule.drops=9",
        ),
    )
    assert names(found) == [
        "spec.sources.conv7.step", "schedule.base_lr", "schedule.drops", "optimiser", "limits.per_image",
    ]  # fmt: skip
    assert [setting.text for setting in found.settings][1:4] == [
        "schedule.base_lr: 0.0007 → 0.01",
        "schedule.drops: (1350) → (9)",
        "optimiser: adamw → sgd",
    ]


def test_seeds_and_kept_checkpoints_are_no_differences() -> None:
    with pytest.raises(PipelineError, match="equal settings"):
        pair(setup(), setup("seed=5", "keep_every=100"))


def test_a_training_between_has_the_chosen_settings_of_b_and_the_others_of_a() -> None:
    a, b = setup(), setup("schedule.base_lr=0.01", "batch_size=8", "limits.per_image=50")
    between = pair(a, b)
    rate, batch, top = between.settings
    assert between.between([batch]).recipe == replace(a.recipe, batch_size=8)
    assert between.between([rate, top]).limits.per_image == 50
    assert between.between([]) == between.a
    assert between.between([rate, batch, top]) == between.b


def test_the_ends_are_the_stored_trainings_themselves_and_further_seeds_of_them() -> None:
    a, b = setup(), setup("batch_size=8", "seed=3")
    between = pair(a, b)
    ends: tuple[Sequence[Setting], ...] = ((), between.settings)
    trained = [between.evaluation(chosen, "x", 0, Placement()).training for chosen in ends]
    assert trained == [a.training(), replace(b, recipe=replace(b.recipe, seed=0)).training()]
    further = between.evaluation([], "A", 2, Placement()).training
    assert isinstance(further, Train)
    assert (further.recipe.seed, further.address) == (2, "train/bisect-1/A/seed2")


def test_settings_that_fit_only_together_are_one() -> None:
    one = Side(recipe=Recipe(batch_size=4, accumulation=1), shards=setup().train_shards(), initial=None)
    other = replace(one, recipe=replace(one.recipe, batch_size=32, accumulation=16, momentum=0.8))
    _, scoring, preset = side_of(Graph([setup().evaluation()]), f"train/{setup().variant}")
    assert names(pair_of((other, scoring, preset), (one, scoring, preset), "x")) == [
        "batch_size and momentum and accumulation"
    ]
    assert names(pair_of((one, scoring, preset), (other, scoring, preset), "x")) == [
        "batch_size", "momentum", "accumulation",
    ]  # fmt: skip


def test_a_backbone_comes_with_its_initial_weights() -> None:
    full, reduced = setup(recipe="ssd300-full-vgg-voc0712"), setup(recipe="ssd300-voc0712")
    *_, last = names(pair(reduced, full))
    assert "spec.backbone.dilation" in last
    assert last.endswith(" and initial weights")


def test_training_images_are_one_of_the_settings() -> None:
    few, many = (Preset(name="tiny").setup(RUNS[name]) for name in ("ssd300-voc07", "ssd300-voc0712"))
    assert names(pair(few, many)) == ["training images"]


@pytest.mark.parametrize("changed", ["classes", "images", "protocol"])
def test_scores_that_do_not_compare_are_refused(changed: str) -> None:
    a = setup()
    b = {
        "classes": with_settings(a, ["spec.classes=cat"]),
        "images": replace(a, test=a.train),
        "protocol": replace(a, protocol="coco"),
    }[changed]
    sides = [
        side_of(Graph([replace(each, allow_trained_images=True).evaluation()]), f"train/{a.variant}") for each in (a, b)
    ]
    with pytest.raises(PipelineError, match="other images"):
        pair_of(sides[0], sides[1], "x")


@dataclass(frozen=True, kw_only=True)
class Part:
    name: str
    size: int


def test_parts_of_equal_names_are_distinguished_by_their_places() -> None:
    a = Part(name="x", size=1), Part(name="x", size=2)
    b = Part(name="x", size=1), Part(name="x", size=3)
    assert list(differences(a, b)) == [("1.size", 2, 3)]
    assert merged(a, b, ["1.size"]) == b
    assert merged(a, b, []) == a
