"""The named recipe that a training is closest to, so that only what differs from it need be read.

Tested in tests/experiments/cli/test_show.py.
"""

from __future__ import annotations

from experiments.framework.loading import named_setup
from experiments.framework.names import RECIPES
from pipeline.keys.fingerprint import Json, describe
from pipeline.keys.settings import Change, changed_settings

RECIPE = "recipe"
"""Setting of a training that holds its recipe."""


def is_training(settings: Json) -> bool:
    """Whether the settings of a stage hold a recipe."""
    return isinstance(settings, dict) and isinstance(settings.get(RECIPE), dict)


def nearest_recipe(settings: Json) -> tuple[str, list[Change]]:
    """Name of the recipe with the fewest settings that differ from a training's, and these, from the recipe to it."""
    changes = {name: changed_settings(_settings_of(name), {RECIPE: settings[RECIPE]}) for name in RECIPES}
    name = min(changes, key=lambda each: len(changes[each]))
    return name, changes[name]


def _settings_of(name: str) -> Json:
    return {RECIPE: describe(named_setup(name).training()).settings[RECIPE]}
