"""A training in parts is the training in one piece."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.folder import Folder
from pipeline.stage import Stage
from pipeline.store.record import read_curve
from ssd_core.spec.first_part import FirstPart
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from stages.training.part import STATE, TrainPart
from tests.stages.training.test_train import assert_same, done, weights

SCHEDULE = Schedule(iterations=4, base_lr=1e-3, drops=(3,), warmup=2)


def test_the_first_part_of_a_schedule_has_its_rates() -> None:
    for whole in (SCHEDULE, replace(SCHEDULE, curve="cosine")):
        part = FirstPart(**{**vars(whole), "iterations": 2}, whole=whole)
        assert [part.learning_rate(step) for step in range(2)] == [whole.learning_rate(step) for step in range(2)]


@pytest.fixture
def parts(drawn, small_spec) -> tuple[TrainPart, TrainPart]:
    recipe = Recipe(spec=small_spec, batch_size=4, schedule=SCHEDULE, optimiser="adamw", ema_decay=0.9)
    first = TrainPart(recipe=recipe, shards=drawn.train, workers=0, log_steps=1, until=2)
    return first, replace(first, until=4, after=first)


def test_the_weights_of_the_last_part_are_those_of_the_training_in_one_piece(parts, in_process, drawn) -> None:
    first, last = parts
    folders: dict[Stage, Folder] = dict(drawn.folders)
    folders[first] = done(first, in_process, "first", folders).out
    continued = done(last, in_process, "last", folders)
    whole = done(replace(last, after=None), in_process, "whole", folders)
    assert_same(weights(continued.out), weights(whole.out))
    assert [point.step for point in read_curve(continued.work)] == [3, 4]
    assert folders[first].files() == [STATE, "weights.pt"]
    assert continued.out.files() == ["weights.pt"]


def test_a_part_that_was_killed_continues_from_its_own_checkpoint(parts, in_process, drawn, monkeypatch) -> None:
    first, last = parts
    folders: dict[Stage, Folder] = dict(drawn.folders)
    folders[first] = done(first, in_process, "first", folders).out
    done(replace(last, until=3), in_process, "last", folders)
    folders[first].delete(STATE)  # it is not read again
    done(last, in_process, "last", folders)
    whole = done(replace(last, after=None), in_process, "whole", folders)
    assert_same(weights(in_process(last, "last", folders).out), weights(whole.out))


def test_all_parts_share_the_record_of_the_first_and_name_their_own_weights(parts) -> None:
    first, last = parts
    assert first.tracked_by() is first
    assert last.tracked_by() is first
    assert (first.models(), last.models()) == ({"weights.pt": 2}, {"weights.pt": 4})
    assert last.address == "train"
