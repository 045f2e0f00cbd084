"""Settings by the names that `-s` takes, as stored in manifests."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from pipeline.keys.fingerprint import describe
from pipeline.keys.settings import Change, changed_settings, named_settings
from pipeline.overrides import override
from pipeline.stage import Context, Stage
from ssd_core.spec.paper import with_resnet50
from ssd_core.spec.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Training(Stage):
    recipe: Recipe
    data: Stage | None = None

    def run(self, ctx: Context) -> None: ...


def changes(*settings: str, recipe: Recipe | None = None) -> list[str]:
    """Differences from the paper's recipe as lines; settings as a manifest stores them."""
    before, after = (
        json.loads(json.dumps(describe(Training(recipe=each)).settings, sort_keys=True))
        for each in (Recipe(), override(recipe or Recipe(), settings, root="recipe"))
    )
    return [str(change) for change in changed_settings(before, after)]


def test_each_changed_setting_is_named_as_s_takes_it_and_its_value_too() -> None:
    settings = ("spec.sources.conv4_3.scales.0.ratios=", "schedule.drops=30000,50000", "batch_size=16", "keep_every=7")
    assert changes(*settings) == [
        "batch_size: 32 → 16",
        "keep_every: 0 → 7",
        "schedule.drops: (40000, 50000) → (30000, 50000)",
        "spec.sources.conv4_3.scales.0.ratios: (2) → ()",
    ]


def test_a_part_that_one_side_lacks_is_one_change() -> None:
    spec = Recipe().spec
    shorter = replace(Recipe(), spec=replace(spec, sources=spec.sources[:-1], extras=spec.extras[:-1]))
    assert changes(recipe=shorter) == [
        "spec.extras: (conv8_2, conv9_2, conv10_2, conv11_2) → (conv8_2, conv9_2, conv10_2)",
        "spec.sources: (conv4_3, conv7, conv8_2, conv9_2, conv10_2, conv11_2) "
        "→ (conv4_3, conv7, conv8_2, conv9_2, conv10_2)",
    ]
    assert not any("(absent)" in line for line in changes(recipe=replace(Recipe(), spec=with_resnet50(spec))))


def test_inputs_and_classes_are_no_settings_and_long_values_are_cut_in_print_only() -> None:
    settings = named_settings(describe(Training(recipe=Recipe(), data=Training(recipe=Recipe()))).settings)
    assert not any(name.startswith("data") or "$" in name for name in settings)
    change = Change(name="classes", before="()", after=f"({'cat, ' * 100})")
    assert len(str(change)) < 120 < len(change.after)
