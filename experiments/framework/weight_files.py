"""Weights files for the commands: read any known layout, write this project's, describe a file.

Tested in tests/experiments/cli/test_weights.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.store.integrity import sha256_of
from ssd_core.backbones.backbone import Backbone, Vgg16
from ssd_core.spec.departures import leaves
from ssd_core.weights import any_weights
from ssd_core.weights.importing import import_weights
from ssd_core.weights.layouts.layout import AUTODETECT, ImportChoices
from ssd_core.weights.named_tensors import read_named_tensors
from ssd_core.weights.vgg import vgg16_weights
from ssd_core.weights.weights import Weights, save_weights
from stages.training.weight_files import place_of, weights_of


def read_weights(path: str, choices: ImportChoices = AUTODETECT) -> Weights:
    """Weights of any known layout. Raises PipelineError when the file is missing or cannot be used."""
    folder, name = existing(path)
    with weights_of(folder.place(name)), folder.open_whole(name) as stream:
        return any_weights.read_weights(stream, choices)


def imported(path: str, choices: ImportChoices) -> Weights:
    """A detector from another program's weights file. Raises PipelineError as `read_weights` does."""
    folder, name = existing(path)
    with weights_of(folder.place(name)), folder.open_whole(name) as stream:
        return import_weights(stream, choices)


def vgg16(path: str, *, full: bool) -> Weights:
    """VGG16 from the user's file, or without a path torchvision's, downloaded by it or taken from its cache."""
    from ssd_core.spec.paper import ssd300, ssd300_full_vgg
    from ssd_core.weights.vgg import from_vgg16
    from stages.training.imagenet_vgg16 import TORCHVISION_VGG16, ImageNetVgg16
    from stages.training.torchvision_files import torchvision_cache

    if not path:
        ImageNetVgg16().prepare()
    folder, name = existing(path or str(torchvision_cache(TORCHVISION_VGG16)))
    with weights_of(folder.place(name)), folder.open_whole(name) as stream:
        state = vgg16_weights(read_named_tensors(stream), reduced=not full)
        return from_vgg16(state, ssd300_full_vgg() if full else ssd300())


def existing(path: str) -> tuple[Folder, str]:
    """Folder and name of a weights file, given by a path or a URI. Raises PipelineError when there is none."""
    folder, name = place_of(path)
    if not folder.is_file(name):
        raise PipelineError(f"there is no weights file {folder.place(name)}")
    return folder, name


def write(weights: Weights, path: Path) -> None:
    """Write the file atomically. Raises PipelineError when it already exists."""
    if path.exists():
        raise PipelineError(f"{path} already exists: name another file with -o, or remove it")
    partial = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("wb") as stream:
        save_weights(weights, stream)
    partial.rename(path)


def summary(weights: Weights) -> str:
    """One line: what the weights are, and how large."""
    count = sum(tensor.numel() for tensor in weights.state.values())
    spec = weights.spec
    kind = f"SSD{spec.input_size}, {len(spec.classes)} classes, {spec.box_count} default boxes"
    if not weights.detects:
        kind = _backbone(spec.backbone)
    return f"{kind}; {len(weights.state)} tensors, {count:,} parameters"


def _backbone(backbone: Backbone) -> str:
    match backbone:
        case Vgg16(reduced=reduced):
            return "VGG16 with fc6 and fc7 subsampled" if reduced else "VGG16 in full"
        case _:
            return type(backbone).__name__


def document(path: str, choices: ImportChoices) -> dict[str, Any]:
    """The facts of `description` as JSON."""
    weights = read_weights(path, choices)
    return {
        "sha256": sha256_of(*existing(path)),
        "summary": summary(weights),
        "settings": dict(leaves(weights.spec, "spec")),
        "tensors": {name: list(tensor.shape) for name, tensor in weights.state.items()},
    }


def description(path: str, choices: ImportChoices) -> Iterator[str]:
    """Lines that describe a file: checksum, summary, specification, tensor shapes."""
    weights = read_weights(path, choices)
    yield f"sha256 = {sha256_of(*existing(path))}"
    yield f"# {summary(weights)}"
    for name, value in leaves(weights.spec):
        yield f"{name} = {value}"
    for name, tensor in weights.state.items():
        yield f"{name} {tuple(tensor.shape)}"
