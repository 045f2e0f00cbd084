"""Names in docs/mlflow.md are those logged to MLflow, and MLflow can parse its filters."""

from __future__ import annotations

import re
from pathlib import Path

from mlflow.utils.search_utils import SearchUtils

from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from stages.evaluation.protocol import CURVE_NAME
from stages.evaluation.voc_evaluation import summarise

TEXT = (Path(__file__).parents[2] / "docs/mlflow.md").read_text()
TRAINING = Preset(name="tiny").setup(RUNS["ssd300-voc0712"]).training(table="Table 2")


def row(title: str) -> list[str]:
    """Names in backticks in one row of the table."""
    (line,) = (line for line in TEXT.splitlines() if line.startswith(f"| {title}"))
    return re.findall(r"`([\w./<>]+)`", line)


def test_the_parameters_and_tags_that_the_page_names_are_logged() -> None:
    assert {"sources", "ratios", "boxes"} <= set(row("parameters")) & set(TRAINING.parameters())
    assert set(row("tags")) - {"stage"} == {name for name, _ in TRAINING.tags}


def test_curves_and_bars_have_the_names_of_the_page() -> None:
    assert set(row("curves")) >= {"loss", "loss/location", "loss/confidence", "learning_rate", CURVE_NAME}
    assert {"voc07/mAP", "voc07/AP/<class>"} <= set(row("bars"))
    assert "voc07/mAP" in summarise([], [])


def test_the_filters_of_the_page_parse_and_use_existing_names() -> None:
    filters = [line.strip() for line in TEXT.splitlines() if re.match(r" {4}(params|tags|metrics)\.", line)]
    assert len(filters) == 3
    clauses = [part for line in filters for part in SearchUtils.parse_search_filter(line)]
    metrics = set(summarise([], []))
    known = {*TRAINING.parameters(), *dict(TRAINING.tags), *metrics}
    assert {part["key"] for part in clauses} <= known
