"""`ssdpipe plan` and `ssdpipe compare` before anything has run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from experiments.cli.requests import ExperimentRequest
from pipeline.errors import PipelineError
from pipeline.external import stamp
from pipeline.folder import Folder
from pipeline.planning.graph import Graph
from ssd_core.network.network_cost import measured_cost, network_cost
from stages.datasets.source import Survey
from stages.datasets.voc import VocFolder
from stages.training.train import Train

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

EXPERIMENT = ("ablation-layers", "--preset", "tiny", "--column", "yes")


def test_plan_shows_the_state_of_each_stage_and_the_totals(project: Project) -> None:
    lines = project.ssdpipe("plan", *EXPERIMENT, "--data", str(project.data), "--gpus", "0").stdout.splitlines()
    states = {line.split()[0]: line.split()[1] for line in lines[1:28]}
    assert sorted(state for address, state in states.items() if address.startswith("shard/")) == ["cached", "cached"]
    assert states["train/all-six/seed0"] == "run"  # the shards are those of the training
    assert states["table/ablation-layers"] == "after"
    # 6 rows: train, detect, evaluate, pictures; 2 shards; the table
    assert lines[28] == "27 stages: 2 cached, 6 run, 19 after"


def test_plan_shows_the_cost(project: Project) -> None:
    printed = project.ssdpipe("plan", *EXPERIMENT, "--data", str(project.data), "--gpus", "3", "--tflops", "2").stdout
    lines = {line[:9].strip(): line[9:].strip() for line in printed.splitlines()[29:]}
    assert lines["to train"].startswith("6 trainings, 39,600 images, ")  # 6 of 1650 iterations of 4 images
    assert lines["rate"] == "12 of 12 trainings and detections by the given rate of 2 TFLOP/s"
    assert " on 3 GPUs (" in lines["wall time"]
    assert lines["excluded"] == "time of stages that never ran in this store: 6 evaluate, table, 6 pictures"


def test_plan_shows_the_cost_as_json(project: Project) -> None:
    document = json.loads(
        project.ssdpipe(
            "plan", *EXPERIMENT, "--data", str(project.data), "--gpus", "3", "--tflops", "2", "--json"
        ).stdout
    )
    trainings = [stage["cost"] for stage in document["stages"] if stage["address"].startswith("train/")]
    assert document["cost"]["trainings"] == len(trainings) == 6
    assert document["cost"]["training_images"] == 39_600
    assert document["cost"]["training_flops"] == pytest.approx(sum(each["flops"] for each in trainings))
    assert document["cost"]["gpu_hours"] == pytest.approx(document["cost"]["flops"] / 2e12 / 3600)
    assert list(document["cost"]["wall_seconds"]) == ["3", "1", "6"]


def test_plan_shows_what_training_in_process_would_save(project: Project) -> None:
    options = ("plan", *EXPERIMENT, "--data", str(project.data), "--gpus", "0")
    saved = r"\nstarts     --in-process would save about \d+ s of each training, with equal results\n"
    assert re.search(saved, project.ssdpipe(*options).stdout)
    assert "in-process" not in project.ssdpipe(*options, "--in-process").stdout
    document = json.loads(project.ssdpipe(*options, "--json").stdout)
    assert document["cost"]["in_process"]["trainings"] == 6


def test_a_plan_without_its_data_set_shows_the_cost_and_then_what_is_missing(project: Project, monkeypatch) -> None:
    monkeypatch.setenv("SSDPIPE_DATA", str(project.store))
    done = project.ssdpipe("plan", "ablation-layers", "--column", "yes", "--gpus", "8")
    assert "6 trainings, 11,520,000 images" in done.stdout  # 60,000 iterations of 32
    assert isinstance(done.exception, PipelineError)
    assert "data set voc2007 is missing" in str(done.exception)


def test_the_picture_is_written(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "graph.svg"
    project.ssdpipe("plan", *EXPERIMENT, "--data", str(project.data), "--gpus", "1", "--svg", str(file))
    texts = [element.text for element in ElementTree.parse(file).iter("{http://www.w3.org/2000/svg}text")]
    assert {"ablation-layers", "6 train", "train/all-six/seed0", "2 cached"} <= set(texts)


def test_plan_changes_nothing(project: Project) -> None:
    before = sorted(project.store.rglob("*"))
    project.ssdpipe("plan", *EXPERIMENT)
    assert sorted(project.store.rglob("*")) == before


def test_the_graph_can_be_drawn(project: Project) -> None:
    drawn = project.ssdpipe("plan", *EXPERIMENT, "--data", str(project.data), "--mermaid").stdout
    assert drawn.startswith("flowchart LR\n")
    assert drawn.count(":::cached") == 2


def test_rows_without_a_result_say_so(project: Project) -> None:
    compared = project.ssdpipe("compare", *EXPERIMENT)
    assert compared.exit_code == 0
    assert compared.stdout.count("not run") == 6


def test_a_plan_imports_nothing_heavy(tmp_path: Path) -> None:
    code = f"""
import sys
from experiments.cli.main import app
app(["plan", "all", "--preset", "tiny", "--store", {str(tmp_path / "store")!r}], standalone_mode=False)
print({{"torch", "torchvision", "ray", "mlflow", "cv2", "matplotlib", "pandas", "scipy.stats"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert " stages: " in done.stdout
    assert done.stdout.endswith("\nset()\n")


@pytest.mark.parametrize("preset", ["full", "short", "tiny", "narrow"])
def test_the_estimated_work_of_every_training_of_the_paper_equals_the_measured_operations(preset: str) -> None:
    request = ExperimentRequest(experiment="all", preset=preset)  # type: ignore[arg-type]
    stages = [node.stage for node in Graph(request.targets(request.placement())).nodes.values()]
    specs = {stage.recipe.spec for stage in stages if isinstance(stage, Train)}
    assert len(specs) > 10
    assert {spec: network_cost(spec) for spec in specs} == {spec: measured_cost(spec) for spec in specs}


def test_two_plans_read_annotations_once_and_a_third_sees_a_change(project: Project, monkeypatch) -> None:
    monkeypatch.setattr(stamp, "RACY_NS", 0)  # as if its files had been written long ago
    surveyed: list[str] = []
    whole = VocFolder.surveyed

    def counting(self: VocFolder, folder: Folder) -> Survey:
        surveyed.append(self.split)
        return whole(self, folder)

    monkeypatch.setattr(VocFolder, "surveyed", counting)
    command = ("plan", *EXPERIMENT, "--data", str(project.data))
    first, second = project.ssdpipe(*command), project.ssdpipe(*command)
    assert first.stdout == second.stdout
    assert sorted(surveyed) == ["test", "train"]
    time.sleep(0.02)  # beyond the tick of the file system's clock
    file = next((project.data / "Annotations").iterdir())
    file.write_text(file.read_text() + "\n")
    states = {line.split()[0]: line.split()[1] for line in project.ssdpipe(*command).stdout.splitlines()[1:28]}
    assert sorted(surveyed) == ["test", "test", "train", "train"]
    assert sorted(state for address, state in states.items() if address.startswith("shard/")) == ["cached", "run"]
