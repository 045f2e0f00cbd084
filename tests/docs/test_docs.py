"""What the documents show runs, and what they list is what the code has."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from experiments.framework.presets import Preset
from pipeline.planning.graph import Graph
from ssd_core.data.shards import SCHEMA, SCHEMA_VERSION
from stages.datasets.defects import Kind, consequence
from stages.datasets.voc import VocFolder
from stages.drawn.draw import CLASSES, Draw
from stages.shards.shard import Shard
from stages.training.train import Train

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import the one code block of docs/pipeline.md that holds some words, from a file of its own."""

    def load(words: str, name: str) -> ModuleType:
        blocks = re.findall(r"```python\n(.*?)```", (DOCS / "pipeline.md").read_text(), flags=re.DOTALL)
        (block,) = (block for block in blocks if words in block)
        (tmp_path / f"{name}.py").write_text(block)
        monkeypatch.syspath_prepend(tmp_path)
        return import_module(name)

    return load


def test_the_stage_of_ten_lines_runs_in_the_process_and_counts_what_was_drawn(module, tmp_path) -> None:
    stages, running = module("class CountObjects", "shown_stage"), module("def run_here", "shown_run")
    drawn = Draw(train=4, test=0, sides=(64, 80))
    source = VocFolder(name="drawn", split="train", within=drawn)
    output = running.run_here(
        stages.CountObjects(shards=Shard(sources=(source,), classes=CLASSES)), str(tmp_path / "s")
    )
    counts = output.read_json("count.json")
    assert set(counts) == set(CLASSES)
    annotations = (tmp_path / "s").glob("objects/*/*/Annotations/*.xml")
    assert sum(counts.values()) == sum(path.read_text().count("<object>") for path in annotations) > 0


def test_the_experiment_of_ten_lines_makes_a_graph_at_any_preset(module) -> None:
    experiment = module("experiment = Experiment", "shown_experiment").experiment
    for preset in ("tiny", "full"):
        graph = Graph([experiment.table(Preset(name=preset))])
        trainings = [node.stage for node in graph.nodes.values() if isinstance(node.stage, Train)]
        assert sorted(training.recipe.batch_size for training in trainings) == [16, 32, 64]


def test_every_column_and_every_defect_is_told() -> None:
    text = (DOCS / "data.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert set(SCHEMA.names) <= set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in rows)))
    assert f"`schema_version` (now {SCHEMA_VERSION})" in text
    assert [row for row in rows if row.strip("| ").split(" | ")[0] in set(Kind)] == [
        f"| {kind} | {consequence(kind)} |" for kind in Kind
    ]
