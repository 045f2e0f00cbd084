"""What the commands of the documents name: data sets, pictures, files of weights and detections, and a small store."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import pytest
import torch
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.cli.requests import ExperimentRequest, TrainRequest
from experiments.framework.drafting import write_draft
from pipeline.driver.in_process import run_in_process
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.events import EventLog
from pipeline.store.provenance import run_provenance
from pipeline.store.store import Store
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.spec.vocabularies import COCO_CLASSES
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights, save_weights
from stages.datasets.find import find_data_set
from stages.drawn.draw import Draw
from stages.drawn.vocabulary import CLASSES
from stages.placement import Placement
from stages.shards.image_row import read_image

SHORT = ["schedule.iterations=1", "schedule.drops=", "schedule.warmup=0", "batch_size=2"]
SHOWN = {"evaluate/all-six/seed0", "evaluate/conv7-only/seed0"}
"""Results of the ablation of layers that the documents show."""


@dataclass(frozen=True)
class World:
    """A folder in which the commands of the documents find what they name."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "ssdpipe-store"

    def ssdpipe(self, *words: str) -> Result:
        """Run a command in the current folder on this store, printing to a terminal of 80 columns."""
        return CliRunner().invoke(app, words, env={"SSDPIPE_STORE": str(self.store), "COLUMNS": "80"})


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSDPIPE_CACHE", "off")
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        _draw(folder)
        _write_detections(folder)
        _write_weights(folder)
        for name in ("my-ablation", "my-question", "blood-cells"):
            write_draft(name)
        _fill(Store.open(str(folder / "ssdpipe-store")))
        yield World(folder)


def _draw(folder: Path) -> None:
    """Write the data sets and pictures."""
    drawn = Path(run_in_process(Draw(train=12, test=3, sides=(64, 96)), str(folder / "drawn")).path)
    shutil.copytree(drawn, folder / "DIR")
    lists = folder / "DIR/ImageSets/Main"
    ids = (lists / "trainval.txt").read_text(encoding="utf-8").split()
    (lists / "trainval.txt").unlink()
    for name, part in (("train", ids[:8]), ("val", ids[8:])):
        (lists / f"{name}.txt").write_text("\n".join(part) + "\n", encoding="utf-8")
    for name in ("VOC_DIR", "VOC", "BCCD"):
        (folder / name).symlink_to("DIR")
    shutil.copytree(drawn / "JPEGImages", folder / "photos")
    shutil.copytree(drawn / "JPEGImages", folder / "trip/first")
    shutil.copy(drawn / "JPEGImages/test_00000.jpg", folder / "street.jpg")
    picture = cv2.imread(str(folder / "street.jpg"))
    video = cv2.VideoWriter("drive.mp4", cv2.VideoWriter.fourcc(*"mp4v"), 5, (picture.shape[1], picture.shape[0]))
    for _ in range(12):
        video.write(picture)
    video.release()


def _write_detections(folder: Path) -> None:
    """Write the annotations of the test images as COCO's, CSV and text files, and detections that equal them."""
    source = find_data_set(str(folder / "DIR")).source("test")
    rows = [row for image in source.listing(source.located()).images if (row := read_image(image, CLASSES).row)]
    boxes = [
        (row.image_id, CLASSES[label], *map(float, box))
        for row in rows
        for label, box in zip(row.labels, row.boxes_xyxy.tolist(), strict=True)
    ]
    for name in ("DETECTIONS", "dets", "gts"):
        (folder / name).mkdir()
    for image, name, *box in boxes:
        corners = " ".join(map(str, box))
        size = f"{box[0]} {box[1]} {box[2] - box[0] + 1} {box[3] - box[1] + 1}"
        _append(folder / f"DETECTIONS/comp4_det_test_{name}.txt", f"{image} 0.9 {corners}")
        _append(folder / f"gts/{image}.txt", f"{name} {size}")
        _append(folder / f"dets/{image}.txt", f"{name} 0.9 {size}")
    for file, scored in (("boxes.csv", False), ("found.csv", True)):
        with (folder / file).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(("image", "xmin", "ymin", "xmax", "ymax", "class", *(["score"] if scored else [])))
            writer.writerows((image, *box, name, *([0.9] if scored else [])) for image, name, *box in boxes)
    ids = {row.image_id: number for number, row in enumerate(rows, start=1)}
    entries = [
        {"id": number, "image_id": ids[image], "category_id": CLASSES.index(name) + 1, "iscrowd": 0}
        | {"bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]]}
        | {"area": (box[2] - box[0]) * (box[3] - box[1])}
        for number, (image, name, *box) in enumerate(boxes, start=1)
    ]
    document = {
        "images": [{"id": ids[row.image_id], "file_name": f"{row.image_id}.jpg"} for row in rows],
        "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES, start=1)],
        "annotations": entries,
    }
    for image, row in zip(document["images"], rows, strict=True):
        image.update(width=row.width, height=row.height)
    (folder / "instances.json").write_text(json.dumps(document), encoding="utf-8")
    kept = ("image_id", "category_id", "bbox")
    results = [{name: entry[name] for name in kept} | {"score": 0.9} for entry in entries]
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")


def _append(file: Path, line: str) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")


def _write_weights(folder: Path) -> None:
    for names, classes in ((("WEIGHTS", "FILE", "weights.pt"), CLASSES), (("COCO",), COCO_CLASSES)):
        spec = ssd_tiny(classes)
        for name in names:
            with (folder / name).open("wb") as stream:
                save_weights(Weights(spec=spec, state=initial_detector(spec, 0).state_dict()), stream)


def write_theirs(file: Path) -> None:
    """Write torchvision's SSD300 with random weights: 140 MB."""
    from torchvision.models.detection import ssd300_vgg16

    torch.save(ssd300_vgg16(weights=None, weights_backbone=None).state_dict(), file)


def _fill(store: Store) -> None:
    """Train and score two rows of the ablation of layers and one recipe, for a single step each."""
    data = "DIR"
    ablation = ExperimentRequest(experiment="ablation-layers", preset="tiny", data=data, settings=SHORT)
    training = TrainRequest(recipe="ssd200-narrow", data=data, settings=SHORT)
    for number, request in enumerate((training, ablation)):
        run = f"20261127-10150{number}-1"
        graph = Graph([request.target(Placement(workers=0))])
        if isinstance(request, ExperimentRequest):
            graph = Graph([node.stage for node in graph.nodes.values() if node.address in SHOWN])
        provenance = {**run_provenance(), "request": request.to_json()}
        observers = [EventLog(store.run(run))]
        Scheduler(
            graph, store, InlineExecutor(), Resolver(graph), run_id=run, observers=observers, provenance=provenance
        ).run().raise_for_failures()
