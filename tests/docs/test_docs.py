"""Code in the documents runs, and their lists match the code."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from experiments.framework.presets import Preset
from pipeline.planning.graph import Graph
from ssd_core.data.shards import SCHEMA, SCHEMA_VERSION
from ssd_core.network.model import Detector
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.weights import Weights, save_weights
from stages.datasets.defects import Kind, consequence, is_legal
from stages.drawn.vocabulary import CLASSES
from stages.training.train import Train

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], ModuleType]:
    """Import the code block of a page that contains the given words, from its own file in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def load(page: str, words: str, name: str) -> ModuleType:
        blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)
        (block,) = (block for block in blocks if words in block)
        (tmp_path / f"{name}.py").write_text(block)
        sys.modules.pop(name, None)
        return import_module(name)

    return load


def test_the_stage_of_ten_lines_runs_in_process_and_counts_the_drawn_objects(shown, tmp_path: Path) -> None:
    shown("pipeline.md", "class CountObjects", "count_objects")
    counts = shown("pipeline.md", "run_in_process", "shown_run").folder.read_json("count.json")
    assert set(counts) == set(CLASSES)
    annotations = (tmp_path / "trial-store").glob("objects/*/*/Annotations/*.xml")
    assert sum(counts.values()) == sum(path.read_text().count("<object>") for path in annotations) > 0


def test_the_experiment_of_ten_lines_makes_a_graph_at_any_preset(shown) -> None:
    experiment = shown("pipeline.md", "experiment = Experiment", "shown_experiment").experiment
    for preset in ("tiny", "full"):
        graph = Graph([experiment.table(Preset(name=preset))])
        trainings = [node.stage for node in graph.nodes.values() if isinstance(node.stage, Train)]
        assert sorted(training.recipe.batch_size for training in trainings) == [16, 32, 64]


def test_weights_detect_in_a_notebook(shown, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = ssd_tiny(("cat", "bird"))
    with (tmp_path / "weights.pt").open("wb") as stream:
        save_weights(Weights(spec=spec, state=Detector(spec).state_dict()), stream)
    noise = np.random.default_rng(0).integers(0, 256, (80, 100, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "street.jpg"), noise)
    found = shown("weights.md", "read_weights", "shown_notebook").found
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(found.scores) > 0
    assert {line.split()[0] for line in lines} <= {"cat", "bird"}


def test_every_column_and_every_defect_is_documented() -> None:
    text = (DOCS / "data.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert set(SCHEMA.names) <= set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in rows)))
    assert f"`schema_version` (now {SCHEMA_VERSION})" in text
    assert [row for row in rows if row.strip("| ").split(" | ")[0] in set(Kind)] == [
        f"| {kind} | {consequence(kind)} | {'accepted' if is_legal(kind) else 'refused'} |" for kind in Kind
    ]
