"""Names in MLflow: legal by MLflow's own check, distinct, and unchanged where possible."""

from __future__ import annotations

import random
from itertools import permutations

from mlflow.utils.validation import MAX_ENTITY_KEY_LENGTH, _validate_metric_name

from pipeline.mlflow_tracking.names import legal_names


def test_a_legal_name_is_unchanged_and_a_lone_illegal_one_keeps_the_form_that_existing_runs_have() -> None:
    assert legal_names(["mAP@0.5", "conv4_3+fc7, 50%", "coco/AP50: größe-1 a.b", "voc07/AP/..."]) == {
        "mAP@0.5": "mAP_0.5",
        "conv4_3+fc7, 50%": "conv4_3_fc7_ 50_",
        "coco/AP50: größe-1 a.b": "coco/AP50: größe-1 a.b",
        "voc07/AP/...": "voc07/AP/...",
    }


def test_names_that_would_become_equal_are_distinguished_whatever_their_order() -> None:
    names = ["a+b", "a@b", "a_b", "a_b-72d4ac9f"]
    mappings = [legal_names(order) for order in permutations(names)]
    assert all(mapping == mappings[0] for mapping in mappings)
    assert len({*mappings[0].values()}) == 4
    assert mappings[0]["a_b"] == "a_b"
    assert mappings[0]["a+b"].startswith("a_b-")
    again = legal_names([mappings[0]["a+b"], *names])  # a class with the very name of the mark
    assert len({*again.values()}) == 5


def test_a_name_keeps_its_form_when_a_later_one_would_become_equal() -> None:
    known = legal_names(["a+b"])
    later = legal_names(["a@b", "a+b"], known)
    assert later["a+b"] == "a_b"
    assert later["a@b"].startswith("a_b-")


def test_mlflow_accepts_all_names_and_none_is_lost() -> None:
    draw = random.Random(5)
    pieces = [*"ab/.:_- +@%\n\0é\ud800", "..", "../", "//", "x" * 120, "y" * 250]
    names = {"".join(draw.choices(pieces, k=draw.randrange(6))) for _ in range(3000)}
    mapping = legal_names(names)
    assert mapping.keys() == names
    assert len({*mapping.values()}) == len(names)
    for legal in mapping.values():
        _validate_metric_name(legal)
        assert len(legal) <= MAX_ENTITY_KEY_LENGTH


def test_names_that_differ_only_in_what_databases_ignore_are_distinguished_whatever_their_order() -> None:
    names = ["AP/Cat", "AP/cat", "AP/CAT", "AP/cât", "AP/cat ", "AP/straße", "AP/STRASSE", "AP/c@t", "AP/C+T"]
    mappings = [legal_names(order) for order in (names, names[::-1])]
    assert mappings[0] == mappings[1]
    stored = {name.lower().replace("â", "a").replace("ß", "ss").rstrip() for name in mappings[0].values()}
    assert len(stored) == len(names)
    assert mappings[0]["AP/CAT"] == "AP/CAT"
    assert legal_names(["AP/Cat"], {"AP/cat": "AP/cat"})["AP/Cat"].startswith("AP/Cat-")
