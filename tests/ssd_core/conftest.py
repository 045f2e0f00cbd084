"""Check the array shapes and types in the annotations of ssd_core while its tests run; shared detectors and shards."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from jaxtyping import install_import_hook

CHECKED = (
    "backbones.layers", "backbones.vgg", "boxes", "data.augment", "data.evaluation_stream", "data.images",
    "data.loading", "data.order",  "data.shards", "data.training_stream", "detection.decoding",
    "metrics.analysis", "metrics.overlaps", "metrics.voc_ap", "network.model", "network.network_cost",
    "training.loss", "training.optimiser",
)  # fmt: skip
if importlib.util.find_spec("beartype"):  # optional, so that the tests also run where only torch is installed
    install_import_hook([f"ssd_core.{module}" for module in CHECKED], "beartype.beartype")

from ssd_core.data.shards import MANIFEST, Row, build_manifest, write_rows  # noqa: E402
from ssd_core.spec.detector import DetectorSpec, ExtraLayer, Scale, Source, Vgg16  # noqa: E402


@pytest.fixture
def narrow_spec() -> DetectorSpec:
    """Three maps of 16, 8 and 4 cells at input 128, a few channels each, GroupNorm; 16*16*4 + 8*8*6 + 4*4*4 boxes."""
    return DetectorSpec(
        input_size=128,
        classes=("cat", "dog"),
        backbone=Vgg16(channels=(4, 8, 8, 16, 16), fc_channels=16),
        extras=(
            ExtraLayer(name="conv8_2", squeeze=8, channels=16, stride=2, padding=1),
            ExtraLayer(name="conv9_2", squeeze=8, channels=16, stride=2, padding=1),
        ),
        sources=(
            Source(layer="conv4_3", step=8, scales=(Scale(size=13, next_size=26, ratios=(2,)),)),
            Source(layer="conv7", step=16, scales=(Scale(size=26, next_size=58, ratios=(2, 3)),)),
            Source(layer="conv8_2", step=32, scales=(Scale(size=58, next_size=90, ratios=(2,)),)),
        ),
        norm_groups=4,
    )


@pytest.fixture
def small_spec() -> DetectorSpec:
    """Maps of 8 and 4 cells at input 64, GroupNorm of four channels or more.

    With one channel per group, rounding becomes visible in the loss within five steps.
    """
    return DetectorSpec(
        input_size=64,
        classes=("cat", "dog"),
        backbone=Vgg16(channels=(16, 16, 32, 32, 32), fc_channels=32, dilation=1),
        extras=(),
        sources=(
            Source(layer="conv4_3", step=8, scales=(Scale(size=13, next_size=26, ratios=(2,)),)),
            Source(layer="conv7", step=16, scales=(Scale(size=26, next_size=48, ratios=(2, 3)),)),
        ),
        norm_groups=4,
        l2_norm_scale=2.0,
    )


@pytest.fixture(scope="session")
def small_shards(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of 11 images of about 80x60: a bright cat, a dark dog, or (image 5) nothing, on noise."""
    folder = tmp_path_factory.mktemp("small-shards")
    groups = write_rows(folder / "0.parquet", map(_small_row, range(11)), row_group_size=4)
    digest = hashlib.sha256((folder / "0.parquet").read_bytes()).hexdigest()
    files = [{"name": "0.parquet", "rows": 11, "row_groups": groups, "sha256": digest}]
    (folder / MANIFEST).write_text(
        json.dumps(build_manifest(("cat", "dog"), files, {"cat": {"objects": 5}, "dog": {"objects": 5}}))
    )
    return str(folder)


def _small_row(number: int) -> Row:
    width, height, label = 80 + number, 60 - number, number % 2
    scene = np.random.default_rng(number).integers(100, 156, (height, width, 3), dtype=np.uint8)
    left, top = 5 + number, 3 + number
    boxes = np.array([[left, top, left + 40, top + 30]] * (number != 5), np.float32).reshape(-1, 4)
    if len(boxes):
        scene[top : top + 30, left : left + 40] = 10 if label else 245
    return Row(
        image_id=f"image{number}",
        source="small",
        image=cv2.imencode(".png", scene)[1].tobytes(),
        width=width,
        height=height,
        boxes_xyxy=boxes,
        labels=np.full(len(boxes), label, np.int32),
        difficult=np.zeros(len(boxes), bool),
        crowd=np.zeros(len(boxes), bool),
        area=np.full(len(boxes), 1200, np.float32),
        annotation_ids=np.arange(len(boxes)),
    )


@pytest.fixture(scope="session")
def training_process() -> ModuleType:
    """The module `training_process` of the training tests."""
    spec = importlib.util.spec_from_file_location("training_process", _PROCESS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    torch.set_num_threads(1)  # as in the processes; two threads on busy cores are many times slower
    return module


_PROCESS = Path(__file__).with_name("training") / "training_process.py"


@pytest.fixture
def train_together(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Run `training_process.train` in two processes joined by gloo; the results by rank."""
    runs = iter(range(100))

    def train(**arguments: Any) -> list[dict[str, Any]]:
        file = tmp_path / f"arguments{next(runs)}"
        file.write_bytes(pickle.dumps(arguments))
        processes = [
            subprocess.Popen(
                [sys.executable, _PROCESS, file, str(rank), "2"], env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
            for rank in range(2)
        ]
        try:
            assert [process.wait(300) for process in processes] == [0, 0]
        finally:
            for process in processes:
                process.kill()
        return [pickle.loads(file.with_name(f"{file.name}.{rank}").read_bytes()) for rank in range(2)]

    return train
