"""Claims against planted numbers: their contrasts, and the paper's values computed from its tables."""

from __future__ import annotations

from math import exp, log

import pytest

from experiments.claims import CLAIMS
from experiments.framework.claims.claim import (
    At,
    AtLeast,
    Claim,
    Contrast,
    Difference,
    GainsMore,
    Order,
    Quantity,
    Ratio,
    Trend,
)
from experiments.framework.claims.judging import Finding, findings, judge
from experiments.framework.claims.measuring import Measured, estimated
from experiments.framework.comparison import StoredExperiment
from experiments.framework.loading import load_experiment
from experiments.framework.presets import Preset
from pipeline.errors import PipelineError
from pipeline.store.store import Store
from ssd_core.metrics.estimate import Estimate, Spread


def number(*values: float) -> Measured:
    by_seed = dict(enumerate(values))
    return Measured(values=by_seed, samples={}, published=None, seeds=Spread(value=0.01), images=0.0)


def value_of(contrast: Contrast, **numbers: float) -> float:
    measured: dict[Quantity, Measured] = {At(name): number(value) for name, value in numbers.items()}
    result = estimated(contrast, measured)
    assert result
    return result.value


def test_each_statistic_is_the_contrast_that_its_name_says() -> None:
    numbers = {"a": 0.9, "b": 0.6, "c": 0.3}
    assert value_of(Difference("a", "b").contrasts()[0], **numbers) == pytest.approx(0.3)
    assert exp(value_of(Ratio("a", "b").contrasts()[0], **numbers)) == pytest.approx(1.5)
    assert value_of(Trend(("a", "b", "c")).contrasts()[0], **numbers) == pytest.approx(0.6)
    assert len(Order(("a", "b", "c")).contrasts()) == 2
    assert value_of(AtLeast("a", 0.5).contrasts()[0], **numbers) == pytest.approx(0.4)
    assert value_of(AtLeast("a", 0.3, ratio=True).contrasts()[0], **numbers) == pytest.approx(log(3))
    more = GainsMore(Difference("a", "c"), Difference("b", "c")).contrasts()[0]
    assert value_of(more, **numbers) == pytest.approx(0.3)


def test_seeds_are_paired_and_those_that_one_number_lacks_do_not_count() -> None:
    numbers: dict[Quantity, Measured] = {At("a"): number(0.5, 0.7, 0.9), At("b"): number(0.4, 0.6)}
    measured = estimated(Difference("a", "b").contrasts()[0], numbers)
    assert measured
    assert (measured.seeds, measured.spread.value) == (2, pytest.approx(0.0))


def test_one_seed_has_the_assumed_spread_of_all_its_numbers() -> None:
    numbers: dict[Quantity, Measured] = {At("a"): number(0.5), At("b"): number(0.4)}
    measured = estimated(Difference("a", "b").contrasts()[0], numbers)
    assert measured
    assert measured.is_assumed
    assert measured.spread.value == pytest.approx(0.01 * 2**0.5)


def finding(effect: float, *, published: float | None, within: float | None = None) -> Finding:
    known = Estimate(value=effect, spread=Spread(value=0.001), image_error=0.0, seeds=3)
    claim = Claim("A helps.", Difference("a", "b"), within=within)
    return Finding(claim=claim, experiment="mine", estimates=(known,), published=published)


def test_direction_and_size_are_judged_apart() -> None:
    (judged,) = judge([finding(0.02, published=0.088)])
    assert (judged.verdict, judged.size) == ("supported", "contradicted")
    (judged,) = judge([finding(-0.02, published=0.005)])
    assert (judged.verdict, judged.size) == ("contradicted", "contradicted")
    (judged,) = judge([finding(0.08, published=0.088)])
    assert (judged.verdict, judged.size) == ("supported", "supported")


def test_a_claim_of_no_difference_is_one_of_equivalence() -> None:
    verdicts = [judge([finding(effect, published=0.0, within=0.01)])[0].verdict for effect in (0.002, 0.01, 0.02)]
    assert verdicts == ["supported", "undecided", "contradicted"]


def test_a_claim_without_a_result_is_not_tested() -> None:
    (judged,) = judge([Finding(claim=Claim("A helps.", Difference("a", "b")), experiment="mine")])
    assert (judged.verdict, judged.size) == ("not tested", None)


@pytest.fixture(scope="module")
def of_the_paper(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """Each claim of the paper on an empty store, by its sentence."""
    store = Store.open(str(tmp_path_factory.mktemp("store")))
    found = []
    for name, claims in CLAIMS.items():
        targets = [load_experiment(name).table(Preset(name="tiny"))]
        found += findings(name, claims, StoredExperiment.of(targets, store, missing_allowed=True), among=1)
    return {each.claim.sentence: each for each in found}


def test_the_papers_values_follow_from_its_tables(of_the_paper: dict[str, Finding]) -> None:
    values = {sentence[:30]: each.published for sentence, each in of_the_paper.items()}
    assert values["Random crops and colour distor"] == pytest.approx(0.088)  # Table 2: 74.3 - 65.5
    assert values["The more shapes of default box"] == pytest.approx(0.006)  # the smaller of 0.6 and 2.1
    assert values["The atrous VGG16 is faster tha"] == pytest.approx(log(1.25))  # 1 / 0.8
    assert values["Several maps of different reso"] == pytest.approx(0.119)  # Table 3: 74.3 - 62.4
    assert values["Without boundary boxes, the co"] == pytest.approx(0.058)  # 69.2 - 63.4
    assert values["A larger input helps more with"] == pytest.approx(0.014)  # Table 5: 3.7 - 2.3
    assert values["SSD512 is more accurate than F"] is not None


def test_the_paper_has_more_than_twenty_claims_and_each_says_where(of_the_paper: dict[str, Finding]) -> None:
    assert len(of_the_paper) >= 20
    assert all(each.claim.section for each in of_the_paper.values())


def test_a_row_that_the_table_does_not_have_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store.open(str(tmp_path_factory.mktemp("store")))
    table = load_experiment("ablation-augmentation").table(Preset(name="tiny"))
    stored = StoredExperiment.of([table], store)
    with pytest.raises(PipelineError, match=r"a claim names the row 'flip', .* did you mean 'flips'"):
        findings("mine", [Claim("A helps.", Difference("flip", "flips"))], stored, among=1)
