"""Dataclasses as plain values and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from ssd_core.spec.detector import DetectorSpec, Scale
from ssd_core.spec.paper import ssd300
from ssd_core.spec.plain import from_plain, to_plain


@dataclass(frozen=True, kw_only=True)
class Holder:
    scale: Scale | None = None
    pairs: tuple[tuple[int, str], ...] = ()


def test_a_specification_becomes_plain_values_and_comes_back_equal():
    spec = replace(ssd300(), use_boundary_boxes=False)
    plain = to_plain(spec)
    assert plain["sources"][0]["scales"][0] == {"size": 30, "next_size": 60, "ratios": (2,), "large_square": True}
    assert from_plain(DetectorSpec, plain) == spec


def test_optional_dataclasses_and_tuples_of_tuples_round_trip():
    for holder in (Holder(), Holder(scale=Scale(size=1, next_size=2, ratios=(3,)), pairs=((1, "a"), (2, "b")))):
        assert from_plain(Holder, to_plain(holder)) == holder


def test_a_missing_field_takes_its_default():
    plain = to_plain(ssd300())
    del plain["norm_groups"]
    assert from_plain(DetectorSpec, plain) == ssd300()


def test_an_unknown_field_says_that_the_file_is_newer():
    with pytest.raises(ValueError, match="DetectorSpec has no field anchors, colour: was this file written by a newer"):
        from_plain(DetectorSpec, to_plain(ssd300()) | {"colour": 1, "anchors": 2})


def test_values_are_checked_when_they_are_rebuilt():
    with pytest.raises(ValueError, match="ratios must be above 1"):
        from_plain(Scale, {"size": 1, "next_size": 2, "ratios": (0.5,)})
