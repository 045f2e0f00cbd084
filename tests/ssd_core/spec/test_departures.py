"""Settings as text, and departures from the paper's."""

from __future__ import annotations

from dataclasses import replace

from ssd_core.spec.augmentation import STARRED, Augmentation
from ssd_core.spec.departures import Departure, departures, leaves
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule


def test_the_paper_s_own_settings_have_no_departures() -> None:
    assert departures(Recipe()) == []


def test_each_changed_setting_is_listed_once_with_both_values() -> None:
    changed = Recipe(augmentation=STARRED, schedule=Schedule(base_lr=5e-4, warmup=100), batch_size=8)
    assert departures(changed) == [
        Departure(field="augmentation.expand", ours="True", paper="False"),
        Departure(field="schedule.base_lr", ours="0.0005", paper="0.001"),
        Departure(field="schedule.warmup", ours="100", paper="0"),
        Departure(field="batch_size", ours="8", paper="32"),
    ]


def test_an_interpretation_that_differs_from_the_released_code_is_listed() -> None:
    read_otherwise = Augmentation(hue="degrees", crop_choice="drawn-first", crop_accepts="all", aspect_ratio="clamped")
    listed = departures(Recipe(augmentation=read_otherwise, normaliser="local"))
    assert [(item.field, item.ours) for item in listed] == [
        ("augmentation.hue", "degrees"),
        ("augmentation.crop_choice", "drawn-first"),
        ("augmentation.crop_accepts", "all"),
        ("augmentation.aspect_ratio", "clamped"),
        ("normaliser", "local"),
    ]


def test_a_setting_that_one_side_lacks_is_empty_there() -> None:
    spec = Recipe().spec
    fewer = replace(Recipe(), spec=replace(spec, sources=spec.sources[:5]))
    by_field = {item.field: item for item in departures(fewer)}
    assert by_field["spec.sources.conv11_2.layer"] == Departure(
        field="spec.sources.conv11_2.layer", ours="", paper="conv11_2"
    )
    assert all(name.startswith("spec.sources.conv11_2.") for name in by_field)


def test_leaves_open_tuples_of_dataclasses_by_layer_and_join_plain_ones() -> None:
    settings = dict(leaves(Recipe()))
    assert settings["schedule.drops"] == "40000,50000"
    assert settings["spec.sources.conv7.scales.0.ratios"] == "2,3"
    assert settings["spec.backbone.channels"] == "64,128,256,512,512"
    assert settings["weight_decay"] == "0.0005"
