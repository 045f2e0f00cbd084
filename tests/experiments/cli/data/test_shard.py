"""`ssdpipe data shard`: write any layout as Parquet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from experiments.cli.requests import ShardRequest, request_from
from pipeline.errors import PipelineError
from stages.placement import Placement
from stages.shards.shard import Shard

if TYPE_CHECKING:
    from pathlib import Path

    from tests.experiments.cli.conftest import Project


def test_split_and_classes_come_from_the_request_or_from_the_data_set(project: Project) -> None:
    usual = ShardRequest(data=str(project.data)).target(Placement())
    assert isinstance(usual, Shard)
    assert (usual.sources[0].split, usual.classes, usual.address) == ("train", (), "shard/cats-train")
    named = ShardRequest(data=str(project.data), split="test", classes="dog, cat").target(Placement())
    assert isinstance(named, Shard)
    assert (named.sources[0].split, named.classes) == ("test", ("dog", "cat"))


def test_a_recorded_request_is_rebuilt() -> None:
    request = ShardRequest(data="DIR", split="val", strict=True)
    assert request_from(json.loads(json.dumps(request.to_json()))) == request


@pytest.mark.slow
def test_the_command_writes_shards_to_a_folder_and_reports_their_content(project: Project, tmp_path: Path) -> None:
    done = project.ssdpipe("data", "shard", str(project.data), "--out", str(tmp_path / "shards"), "--no-mlflow")
    assert done.exit_code == 0, done.output
    assert "1 images, 1 boxes, 1 classes" in done.stdout
    table = pq.read_table(tmp_path / "shards/images-00000.parquet")
    assert table.column("image_id").to_pylist() == ["a"]
    assert json.loads((tmp_path / "shards/shards.json").read_text())["objects_per_class"] == {"cat": 1}


def test_a_folder_with_other_files_is_refused_before_anything_runs(project: Project) -> None:
    before = sorted(project.data.rglob("*"))
    done = project.ssdpipe("data", "shard", str(project.data), "--out", str(project.data), "--no-mlflow")
    assert isinstance(done.exception, PipelineError)
    assert str(done.exception) == f"{project.data} is not empty and holds no shards: name another folder with --out"
    assert sorted(project.data.rglob("*")) == before
