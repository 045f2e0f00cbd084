"""Identity of stages: what is part of a key, and what is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from math import sqrt
from random import Random
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.keys.fingerprint import Ingredients, describe, encode, leaves
from pipeline.planning.graph import Graph
from pipeline.stage import Stage, execution


class Kind(Enum):
    ROUND = 1
    SQUARE = 2


@dataclass(frozen=True, kw_only=True)
class Schedule:
    base_lr: float = 0.001
    drops: tuple[int, ...] = (40, 50)
    workers: int = execution(1)


@dataclass(frozen=True, kw_only=True)
class Source(Stage):
    seed: int = 0

    def run(self, ctx: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Train(Stage):
    size: float = 300
    schedule: Schedule = Schedule()
    extra: Any = None
    mix: tuple[Stage, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    gpus: int = execution(1)

    def run(self, ctx: Any) -> None: ...


def config(**fields: Any) -> str:
    return encode(describe(Train(**fields)).config)


def test_a_secret_in_a_field_is_no_part_of_the_key():
    first, second, other = (f"s3://{login}bucket/{name}" for login, name in (("a:1@", "x"), ("b:2@", "x"), ("", "y")))
    assert config(extra=first) == config(extra=second) != config(extra=other)
    assert describe(Train(extra=first)).config == {"extra": "s3://bucket/x"}


def test_settings_that_differ_only_in_what_looks_like_a_secret_have_different_keys():
    texts = ["token=a", "token=b", "the class token='a'", "the class token='b'", "token=***"]
    assert len({config(extra=text) for text in texts}) == len(texts)
    assert "s3cr3t" not in config(extra="token=s3cr3t")
    assert sha256(b"token=s3cr3t").hexdigest()[:12] not in config(extra="token=s3cr3t")  # a guess must cost time


def test_fields_at_their_default_are_omitted_also_in_nested_dataclasses():
    assert describe(Train()).config == {}
    assert describe(Train(schedule=Schedule(base_lr=0.5))).config == {
        "schedule": {"$class": f"{__name__}.Schedule", "base_lr": 0.5}
    }


def test_a_new_field_whose_default_is_the_old_behaviour_keeps_the_configuration():
    @dataclass(frozen=True, kw_only=True)
    class Later(Train):
        smoothing: float = 0.0

    assert describe(Later(size=512)).config == describe(Train(size=512)).config


def test_30_and_30_point_0_are_one_value():
    assert config(size=30) == config(size=30.0)
    assert config(size=300.0) == config()
    assert config(named={"a": 1}) == config(named={"a": 1.0})


def test_true_and_1_are_two_values():
    assert config(extra=True) != config(extra=1)


def test_floats_that_differ_in_the_last_bit_differ():
    assert config(size=sqrt(2)) != config(size=sqrt(2) + 2**-52)


def test_execution_fields_variant_and_tags_are_never_part_of_it():
    assert config(gpus=8, variant="conv7-only/seed0", tags=(("seed", "0"),)) == config()
    assert config(schedule=Schedule(workers=9)) == config()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"extra": None}, {"extra": "None"}),
        ({"extra": (1, 2)}, {"extra": (2, 1)}),
        ({"extra": Kind.ROUND}, {"extra": Kind.SQUARE}),
        ({"extra": Kind.ROUND}, {"extra": "ROUND"}),
        ({"extra": frozenset({1, 2})}, {"extra": (1, 2)}),
        ({"extra": Schedule()}, {"extra": {}}),
        ({"named": {"a": 1}}, {"named": {"b": 1}}),
        ({"schedule": Schedule(drops=())}, {}),
    ],
)
def test_different_values_are_distinguished(one, other):
    assert config(**one) != config(**other)


def test_the_order_of_mappings_and_sets_does_not_count():
    assert config(named={"a": 1, "b": 2}) == config(named={"b": 2, "a": 1})
    assert config(extra=frozenset("abc")) == config(extra=frozenset("cba"))


def test_random_configurations_are_equal_exactly_when_their_values_are():
    random = Random(0)
    seen: dict[str, tuple[Any, ...]] = {}
    for _ in range(500):
        values = (random.choice([30, 30.0, 31, 0.1]), random.choice([(), (1,), (1, 2)]), random.choice([0.001, 0.002]))
        text = config(
            size=values[0], extra=values[1], schedule=Schedule(base_lr=values[2], workers=random.randrange(9))
        )
        assert seen.setdefault(text, values) == values
    assert len(seen) == 3 * 3 * 2


@pytest.mark.parametrize("value", [print, object(), Schedule, b"bytes", lambda: 0, {1: "a"}, {"$input": 1}])
def test_a_value_without_a_canonical_form_is_refused_by_the_name_of_its_field(value):
    with pytest.raises(PipelineError, match=r"Train: field extra"):
        describe(Train(extra=value))


def test_stages_in_tuples_mappings_and_nested_dataclasses_are_inputs_by_path():
    @dataclass(frozen=True, kw_only=True)
    class Recipe:
        data: Stage

    one, two, three = Source(seed=1), Source(seed=2), Source(seed=3)
    found = describe(Train(mix=(one, two), named={"init": three}, extra=Recipe(data=one))).inputs
    assert found == {"mix[0]": one, "mix[1]": two, "named.init": three, "extra.data": one}


def test_a_stage_at_its_default_is_an_input_nevertheless():
    @dataclass(frozen=True, kw_only=True)
    class Evaluate(Stage):
        data: Stage = Source()

        def run(self, ctx: Any) -> None: ...

    assert list(describe(Evaluate()).inputs) == ["data"]


def test_settings_show_all_defaults():
    assert describe(Train()).settings["schedule"]["drops"] == [40, 50]


def ingredients(**changes: Any) -> Ingredients:
    facts: dict[str, Any] = {
        "stage": "stages.train.Train",
        "config": {"size": 512},
        "code": {"stages.train": {"Train.run": "0123456789abcdef"}},
        "external": "",
        "inputs": {"data": "00ff"},
    }
    return Ingredients(**{**facts, **changes})


def test_the_key_of_given_ingredients_never_changes_between_versions_of_the_project():
    # Computed by hand: the first 32 hexadecimal digits of the SHA-256 of
    # {"code":{"stages.train":{"Train.run":"0123456789abcdef"}},"config":{"size":512},"external":"",
    #  "inputs":{"data":"00ff"},"libraries":{},"schema":1,"stage":"stages.train.Train","version":1}
    assert ingredients(schema=1).key == "ded36dac8b6a515763cf225b96c32a6a"
    assert ingredients().key == ingredients(schema=2).key == "8909cc68c008dae44316a66164daab20"


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "stages.train.Other"},
        {"version": 2},
        {"config": {"size": 300}},
        {"code": {"stages.train": {"Train.run": "1123456789abcdef"}}},
        {"external": "ab"},
        {"inputs": {"data": "00fe"}},
        {"inputs": {"test": "00ff"}},
        {"libraries": {"torch": "2.11"}},
        {"schema": 1},
    ],
)
def test_every_ingredient_changes_the_key(change):
    assert ingredients(**change).key != ingredients().key


def test_a_diamond_of_forty_levels_is_built_without_exponential_work():
    stage: Stage = Source()
    for level in range(40):
        stage = Train(mix=(stage, stage), size=level)
    assert len(Graph([stage]).nodes) == 41


def test_settings_are_walked_to_their_leaves_and_into_lists_of_parts() -> None:
    settings = {"maps": [{"step": 8, "ratios": [2, 3]}, {"step": 16, "ratios": []}], "none": {}}
    assert list(leaves(settings, "config")) == [
        ("config.maps.0.step", 8),
        ("config.maps.0.ratios", [2, 3]),
        ("config.maps.1.step", 16),
        ("config.maps.1.ratios", []),
        ("config.none", {}),
    ]
