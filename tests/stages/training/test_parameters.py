"""The parameters of a training in MLflow: enough to see how two trainings differ, and which setting to change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.stage import Stage
from ssd_core.spec.augmentation import FLIP_ONLY
from ssd_core.spec.paper import ssd300
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.tilings import without_ratios
from stages.drawn.draw import Draw
from stages.training.parameters import training_parameters

PAPER = Recipe()


def differences(ours: Recipe) -> dict[str, str]:
    before, after = training_parameters(PAPER, None), training_parameters(ours, None)
    return {name: str(after[name]) for name in before | after if before.get(name) != after.get(name)}


def test_the_detector_is_summarised_in_a_few_comparable_values() -> None:
    parameters = training_parameters(PAPER, None)
    assert (parameters["input_size"], parameters["classes"], parameters["boxes"]) == (300, 20, 8732)
    assert str(parameters["class_names"]).startswith("aeroplane, bicycle, ")
    assert parameters["backbone"] == "Vgg16"
    assert parameters["sources"] == "conv4_3 conv7 conv8_2 conv9_2 conv10_2 conv11_2"
    assert parameters["ratios"] == "1,2 1,2,3 1,2,3 1,2,3 1,2 1,2"
    assert parameters["initial"] == "scratch"
    assert not [name for name in parameters if name.startswith("spec")]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"batch_size": 16}, {"batch_size": "16"}),
        ({"seed": 3}, {"training_seed": "3"}),
        (
            {"augmentation": FLIP_ONLY},
            {
                "augmentation.photometric": "False",
                "augmentation.crop": "False",
                "augmentation.random_interpolation": "False",
            },
        ),
        (
            {"spec": without_ratios(ssd300(), 3)},  # two boxes less in each cell of three maps: 2 (19² + 10² + 5²)
            {"ratios": "1,2 1,2 1,2 1,2 1,2 1,2", "boxes": str(8732 - 2 * (361 + 100 + 25))},
        ),
    ],
)
def test_two_trainings_differ_only_in_what_was_changed(changed, expected) -> None:
    assert differences(replace(PAPER, **changed)) == expected


def test_every_setting_besides_the_detector_has_the_name_that_the_command_line_takes() -> None:
    from pipeline.overrides import override

    parameters = training_parameters(PAPER, None)
    recipe = [name for name in parameters if name.partition(".")[0] in Recipe.__dataclass_fields__]
    assert len(recipe) > 20
    for name in recipe:
        override(Recipe(), [f"{name}={parameters[name]}"])


def test_the_initial_weights_are_shown_by_their_address() -> None:
    first: Stage = Draw(variant="weights")
    assert training_parameters(PAPER, first)["initial"] == "draw/weights"
