"""The demo's experiment: its rows are trainings of the paper's other tables."""

from __future__ import annotations

import pytest

from experiments import ablation_augmentation, ablation_box_shapes, ablation_layers
from experiments.framework.presets import Preset
from experiments.framework.runs import PresetName
from experiments.largest_effects import experiment


@pytest.mark.parametrize("preset", ["full", "tiny"])
def test_each_row_is_a_training_and_a_published_number_of_table_2_or_3(preset: PresetName) -> None:
    chosen = Preset(name=preset)
    others = (ablation_augmentation, ablation_box_shapes, ablation_layers)
    trained = {
        (chosen.setup(row.run).training(), row.published)
        for other in others
        for row in other.experiment.rows
        if row.run
    }
    rows = {(chosen.setup(row.run).training(), row.published) for row in experiment.rows if row.run}
    assert len(rows) == len(experiment.rows) == 5
    assert rows <= trained


def test_each_claim_compares_a_row_with_the_first() -> None:
    assert len(experiment.claims) == len(experiment.rows) - 1
