"""Claims as plain values: all of the paper's come back equal, and nothing else becomes one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from experiments.claims import CLAIMS
from experiments.framework.bundles.statements import quantities, restated, stated
from experiments.framework.claims.claim import Claim, Difference, Recorded
from pipeline.errors import PipelineError


def through_json(*claims: Claim) -> list[Any]:
    values: list[Any] = json.loads(json.dumps([stated(each) for each in claims]))
    return values


@pytest.mark.parametrize("experiment", CLAIMS)
def test_the_papers_claims_come_back_equal(experiment: str) -> None:
    values = through_json(*CLAIMS[experiment])
    claims, foreign = restated(values, CLAIMS[experiment])
    assert (through_json(*claims), foreign) == (values, [])
    numbers = [each for claim in CLAIMS[experiment] for each in quantities(claim) if isinstance(each, Recorded)]
    again = [each for claim in claims for each in quantities(claim) if isinstance(each, Recorded)]
    assert [bool(each.read) for each in again] == [bool(each.read) for each in numbers]


def test_a_function_that_is_not_installed_makes_a_claim_foreign() -> None:
    number = Recorded("speed/mine", "mine", error=0.1, read=lambda _: 1.0)
    claim = Claim("Mine is better.", Difference(number, "base"))
    assert restated(through_json(claim), ()) == ([], ["Mine is better."])


@pytest.mark.parametrize(
    "value",
    [
        1,
        {"kind": "os.system", "command": "true"},
        {"kind": "At", "row": "a"},
        {"kind": "Claim", "sentence": "x", "statistic": "Difference"},
        {"kind": "Claim", "sentence": "x", "statistic": {"kind": "Difference", "more": 1}},
        {"kind": "Claim", "sentence": "x", "statistic": {"kind": "Order", "falling": 5}},
        {"kind": "Claim", "sentence": "x", "statistic": {"kind": "Difference", "more": {}, "less": "b"}},
    ],
)
def test_other_values_are_refused_as_claims(value: Any) -> None:
    with pytest.raises(PipelineError, match="a claim that cannot be read"):
        restated([value], ())
