"""Recipes and presets; the paper's values are from its section 3.1 and the released examples/ssd/ssd_pascal.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.framework.loading import named_setup
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from experiments.framework.setups import Setup, on_data, starting_from
from pipeline.errors import PipelineError
from ssd_core.spec.paper import ssd300, ssd300_full_vgg, ssd512
from ssd_core.spec.tiny import ssd_tiny
from stages.datasets.source import Source
from stages.datasets.voc import VocFolder
from stages.training.imagenet_vgg16 import ImageNetVgg16
from stages.training.initial import WeightsFile


def named(recipe: str) -> Setup:
    return named_setup(recipe)


def at(preset: Any) -> Setup:
    return Preset(name=preset).setup(RUNS["ssd300-voc0712"])


def voc_sets(sources: Sequence[Source]) -> list[tuple[str, str]]:
    return [(source.folder, source.split) for source in sources if isinstance(source, VocFolder)]


def test_the_paper_s_recipe_has_the_values_of_the_paper() -> None:
    setup = named("ssd300-voc0712")
    recipe = setup.recipe
    assert recipe.spec == ssd300()
    assert (recipe.schedule.iterations, recipe.schedule.drops) == (60_000, (40_000, 50_000))
    assert (recipe.schedule.base_lr, recipe.schedule.gamma, recipe.schedule.warmup) == (1e-3, 0.1, 0)
    assert (recipe.batch_size, recipe.momentum, recipe.weight_decay) == (32, 0.9, 5e-4)
    assert (recipe.optimiser, recipe.precision, recipe.augmentation.expand) == ("sgd", "fp32", False)
    assert isinstance(setup.initial, ImageNetVgg16)


def test_the_paper_s_recipe_trains_on_07_and_12_and_tests_on_07() -> None:
    setup = named("ssd300-voc0712")
    assert voc_sets(setup.train) == [("VOC2007", "trainval"), ("VOC2012", "trainval")]
    assert voc_sets(setup.test) == [("VOC2007", "test")]


def test_the_starred_recipe_doubles_the_schedule_and_zooms_out() -> None:
    setup = named("ssd300-expand-voc0712")
    schedule = setup.recipe.schedule
    assert (schedule.iterations, schedule.drops) == (120_000, (80_000, 100_000))
    assert setup.recipe.augmentation.expand


def test_ssd512_is_trained_as_ssd300_is() -> None:
    for large, small in (("ssd512-voc0712", "ssd300-voc0712"), ("ssd512-expand-voc0712", "ssd300-expand-voc0712")):
        assert named(large).recipe == replace(named(small).recipe, spec=ssd512())
        assert named(large).initial == named(small).initial


def test_the_full_vgg_differs_in_the_network_and_starts_from_the_unreduced_vgg16() -> None:
    setup = named("ssd300-full-vgg-voc0712")
    assert setup.recipe == replace(named("ssd300-voc0712").recipe, spec=ssd300_full_vgg())
    assert setup.initial == ImageNetVgg16(variant="imagenet-vgg16-full", reduced=False)


def test_a_recipe_takes_vgg16_in_the_shape_of_its_own_network() -> None:
    setup = named("ssd300-voc0712")

    def on_the_full_vgg(setup: Setup) -> Setup:
        return replace(setup, recipe=replace(setup.recipe, spec=ssd300_full_vgg()))

    full = Preset(adjust=on_the_full_vgg).setup(RUNS["ssd300-voc0712"])
    assert full.initial == named("ssd300-full-vgg-voc0712").initial != setup.initial


def test_the_short_preset_is_the_paper_s_detector_over_a_tenth_of_the_iterations() -> None:
    short = at("short").recipe
    assert short.spec == ssd300()
    assert (short.schedule.iterations, short.schedule.drops) == (6_000, (4_000, 5_000))


def test_the_tiny_preset_needs_no_data_and_no_weights() -> None:
    tiny = at("tiny")
    assert tiny.initial is None
    assert all(source.within is not None for source in (*tiny.train, *tiny.test))
    assert tiny.recipe.spec == ssd_tiny(tiny.recipe.spec.classes)
    assert tiny.recipe.spec.norm_groups > 0


def test_a_training_has_the_recipe_of_its_setup_and_the_training_shards() -> None:
    setup = at("tiny")
    training = setup.training()
    assert training.recipe == setup.recipe
    assert training.shards == setup.train_shards() != setup.test_shards()


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(PipelineError, match="did you mean 'ssd300-voc0712'"):
        named("ssd300-voc712")
    with pytest.raises(PipelineError, match="did you mean 'tiny'"):
        at("tinny")


@pytest.fixture
def own_data(tmp_path: Path) -> Path:
    """Two images without pixels, since planning opens no image."""
    root = tmp_path / "mine"
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    for image_id, name in (("a", "cat"), ("b", "bird")):
        (root / f"JPEGImages/{image_id}.jpg").write_bytes(b"not opened")
        box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
        (root / f"Annotations/{image_id}.xml").write_text(
            "<annotation><size><width>10</width><height>10</height></size>"
            f"<object><name>{name}</name>{box}</object></annotation>"
        )
    for split in ("train", "val"):
        (root / f"ImageSets/Main/{split}.txt").write_text("a\nb\n")
    return root


def test_your_own_data_set_determines_classes_and_splits(own_data: Path) -> None:
    setup = on_data(named("ssd300-voc0712"), str(own_data))
    assert setup.recipe.spec.classes == ("bird", "cat")
    assert (setup.train[0].split, setup.test[0].split) == ("train", "val")


def test_named_splits_win(own_data: Path) -> None:
    setup = on_data(at("tiny"), str(own_data), train_split="val", test_split="train")
    assert (setup.train[0].split, setup.test[0].split) == ("val", "train")


def test_initial_weights_are_scratch_imagenet_or_a_file(tmp_path: Path) -> None:
    setup = named("ssd300-voc0712")
    assert starting_from(setup, "scratch").initial is None
    assert isinstance(starting_from(at("tiny"), "imagenet").initial, ImageNetVgg16)
    (tmp_path / "vgg.pth").write_bytes(b"any")
    assert isinstance(starting_from(setup, str(tmp_path / "vgg.pth")).initial, WeightsFile)
    full = starting_from(named("ssd300-full-vgg-voc0712"), str(tmp_path / "vgg.pth")).initial
    assert isinstance(full, WeightsFile)
    assert (full.reduced, full.variant) == (False, "vgg-full")
    with pytest.raises(PipelineError, match="there is no weights file"):
        starting_from(setup, str(tmp_path / "absent.pth"))
