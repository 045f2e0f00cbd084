"""Contexts in which stages run in the process of the test, and a small data set to write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.execution.run_stage import Mapper, StageContext, map_inline
from pipeline.folder import Folder
from pipeline.keys.fingerprint import describe
from pipeline.stage import Stage
from ssd_core.spec.detector import DetectorSpec, Scale, Source, Vgg16
from stages.datasets.voc import VocFolder
from stages.drawn.draw import Draw
from stages.drawn.vocabulary import CLASSES
from stages.shards.shard import Shard


@pytest.fixture
def in_process(tmp_path: Path) -> Callable[..., StageContext]:
    """Make the context of a stage; `inputs` maps its input stages to folders, `name` distinguishes contexts."""

    def make(
        stage: Stage, name: str = "result", inputs: dict[Stage, Folder] | None = None, mapper: Mapper = map_inline
    ) -> StageContext:
        folders = {path: (inputs or {})[held] for path, held in describe(stage).inputs.items()}
        place = Folder(str(tmp_path / "contexts" / name))
        return StageContext(
            key="key", stage=stage, inputs=folders, out=place / "out", work=place / "work", mapper=mapper
        )

    return make


@dataclass
class WrittenVoc:
    """A small VOC folder that a test writes file by file."""

    root: Path

    def split(self, name: str, ids: Iterable[str]) -> None:
        self._write(f"ImageSets/Main/{name}.txt", "".join(f"{image_id}\n" for image_id in ids).encode())

    def image(self, image_id: str, width: int = 100, height: int = 80, *, suffix: str = ".jpg") -> Path:
        noise = np.random.default_rng([*image_id.encode()]).integers(0, 256, (height, width, 3), np.uint8)
        return self._write(f"JPEGImages/{image_id}{suffix}", cv2.imencode(suffix, noise)[1].tobytes())

    def annotation(
        self,
        image_id: str,
        *objects: tuple[str, float, float, float, float],
        size: tuple[int, int] = (100, 80),
        difficult: bool = False,
    ) -> Path:
        described = "".join(
            f"<object><name>{name}</name><difficult>{int(difficult)}</difficult><bndbox><xmin>{xmin}</xmin>"
            f"<ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox></object>"
            for name, xmin, ymin, xmax, ymax in objects
        )
        xml = f"<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>{described}</annotation>"
        return self._write(f"Annotations/{image_id}.xml", xml.encode())

    def _write(self, name: str, content: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


@pytest.fixture
def voc(tmp_path: Path) -> WrittenVoc:
    """Two images of 100x80 without defects: `a` with a cat, `b` with a dog; splits train and test."""
    folder = WrittenVoc(tmp_path / "devkit" / "VOC2007")
    for image_id, name in (("a", "cat"), ("b", "dog")):
        folder.image(image_id)
        folder.annotation(image_id, (name, 10, 20, 50, 60))
    folder.split("train", ["a", "b"])
    folder.split("test", ["b"])
    return folder


@dataclass(frozen=True)
class Drawn:
    """A small drawn data set: the stages that make it and the folders of their results."""

    train: Shard
    test: Shard
    folders: dict[Stage, Folder]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """13 images to train on and 70 to test on, about 80 pixels wide."""
    place = Folder(str(tmp_path_factory.mktemp("drawn")))
    images = Draw(train=13, test=70, sides=(64, 96))
    train, test = (
        Shard(sources=(VocFolder(name="drawn", split=split, within=images),), classes=tuple(CLASSES))
        for split in ("train", "test")
    )
    folders: dict[Stage, Folder] = {}
    for name, stage in (("images", images), ("train", train), ("test", test)):
        inputs = {path: folders[held] for path, held in describe(stage).inputs.items()}
        out = place / name
        stage.run(StageContext(key=name, stage=stage, inputs=inputs, out=out, work=place / f"{name}-work"))
        folders[stage] = out
    return Drawn(train, test, folders)


@pytest.fixture
def small_spec() -> DetectorSpec:
    """A detector with maps of 8 and 4 cells at input 64, for the drawn classes."""
    return DetectorSpec(
        input_size=64,
        classes=tuple(CLASSES),
        backbone=Vgg16(channels=(16, 16, 32, 32, 32), fc_channels=32, dilation=1),
        extras=(),
        sources=(
            Source(layer="conv4_3", step=8, scales=(Scale(size=13, next_size=26, ratios=(2,)),)),
            Source(layer="conv7", step=16, scales=(Scale(size=26, next_size=48, ratios=(2, 3)),)),
        ),
        norm_groups=4,
    )
