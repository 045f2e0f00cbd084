"""A store in which a training on a small data set has completed only its shards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.cli.requests import TrainRequest
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.events import EventLog
from pipeline.store.store import Store
from stages.placement import Placement
from stages.shards.shard import Shard


@dataclass(frozen=True)
class Project:
    """A store, and the data set whose shards it holds."""

    store: Path
    data: Path

    def ssdpipe(self, *arguments: str) -> Result:
        """Run a command on this store, in this process."""
        return CliRunner().invoke(app, arguments, env={"SSDPIPE_STORE": str(self.store)})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    data = tmp_path / "cats"
    _write_data(data)
    store = Store.open(str(tmp_path / "store"))
    request = TrainRequest(recipe="ssd-tiny", data=str(data))
    graph = Graph([request.target(Placement())])
    shards = Graph([node.stage for node in graph.nodes.values() if isinstance(node.stage, Shard)])
    Scheduler(
        shards,
        store,
        InlineExecutor(),
        Resolver(shards),
        run_id="first",
        observers=[EventLog(store.run("first"))],
        provenance={"request": request.to_json()},
    ).run()
    return Project(tmp_path / "store", data)


def _write_data(folder: Path) -> None:
    """Write two images with one cat each, for training and for testing."""
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    for image_id, split in (("a", "train"), ("b", "test")):
        noise = np.random.default_rng(ord(image_id)).integers(0, 256, (80, 100, 3), np.uint8)
        cv2.imwrite(str(folder / f"JPEGImages/{image_id}.jpg"), noise)
        (folder / f"ImageSets/Main/{split}.txt").write_text(f"{image_id}\n")
        write_cat(folder, image_id, xmin=10)


def write_cat(folder: Path, image_id: str, *, xmin: int) -> None:
    """Annotate a cat in an image of 100x80 pixels."""
    box = f"<xmin>{xmin}</xmin><ymin>20</ymin><xmax>60</xmax><ymax>70</ymax>"
    (folder / f"Annotations/{image_id}.xml").write_text(
        f"<annotation><size><width>100</width><height>80</height></size>"
        f"<object><name>cat</name><bndbox>{box}</bndbox></object></annotation>"
    )
