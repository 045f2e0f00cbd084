"""The benchmark of training input runs on drawn images; the README quotes the medians of the committed result."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median

import input_pipeline
import pytest

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks/results/2026-11-27-input.json"


def test_the_benchmark_writes_rates_and_ratios_of_all_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    out = tmp_path / "input.json"
    options = ["--images", "4", "--rounds", "1", "--processes", "0", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["input_pipeline.py", *options])
    input_pipeline.main()
    record = json.loads(out.read_text())
    rates = record["images_per_second_of_a_core"]
    assert {"decoding alone", "paper", "starred", "torchvision, paper", "torchvision, starred"} < set(rates)
    assert record["ratios"]["starred / decoding alone"] == [rates["starred"][0] / rates["decoding alone"][0]]
    assert record["images_per_second_of_the_loader"]["starred, 0 processes"][0] > 0
    assert "host" not in record["machine"]


def test_the_readme_quotes_the_committed_result():
    record = json.loads(RESULT.read_text())
    rates = {name: round(median(values)) for name, values in record["images_per_second_of_a_core"].items()}
    ratios = {name: median(values) for name, values in record["ratios"].items()}
    (row,) = [line for line in (ROOT / "README.md").read_text().splitlines() if RESULT.stem in line]
    for name in ("starred", "paper", "before, starred", "before, paper", "torchvision, starred", "torchvision, paper"):
        assert f"{rates[name]:,}" in row, name
    assert f"{ratios['starred / torchvision, starred']:.0f} and {ratios['paper / torchvision, paper']:.0f} times" in row
    assert (
        f"{ratios['starred / decoding alone']:.2f} and {ratios['paper / decoding alone']:.2f} of decoding alone" in row
    )
