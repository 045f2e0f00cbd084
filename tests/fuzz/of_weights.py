"""Files of weights in every format, described by `ssdpipe weights show`; checkpoints, from which a training resumes."""

from __future__ import annotations

import io
import json
import struct
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.framework.weight_files import description
from pipeline.errors import PipelineError
from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec, Scale, Source, Vgg16
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.weights.any_weights import read_weights
from ssd_core.weights.layouts.known import LAYOUTS
from ssd_core.weights.layouts.layout import AUTODETECT
from ssd_core.weights.named_tensors import read_named_tensors
from ssd_core.weights.weights import Weights, save_weights
from tests.fuzz.target import Case

SPEC = DetectorSpec(
    input_size=64,
    classes=("cat", "dog"),
    backbone=Vgg16(channels=(4, 4, 4, 4, 4), fc_channels=4, dilation=1),
    extras=(),
    sources=(
        Source(layer="conv4_3", step=8, scales=(Scale(size=13, next_size=26, ratios=(2,)),)),
        Source(layer="conv7", step=16, scales=(Scale(size=26, next_size=48, ratios=(2, 3)),)),
    ),
    norm_groups=1,
)
"""A detector of a few kilobytes."""

warnings.filterwarnings("ignore", message="Detected pickle protocol")


def own(odd: Random, place: Path) -> Sequence[Case]:
    """Files of this project: a whole detector, and a part of one."""
    state = Detector(SPEC, torch.Generator().manual_seed(odd.randrange(2**31))).state_dict()
    whole, part = io.BytesIO(), io.BytesIO()
    save_weights(Weights(spec=SPEC, state=state), whole)
    save_weights(Weights(spec=SPEC, state=dict(list(state.items())[:2])), part)
    contents = [whole.getvalue(), part.getvalue(), part.getvalue()]
    return [_case(place / "own.pt", content, lambda stream: read_weights(stream).state) for content in contents]


def state_dicts(odd: Random, place: Path) -> Sequence[Case]:
    """State dicts of other programs in both formats of PyTorch, alone and in a checkpoint."""
    contents = []
    for layout in LAYOUTS:
        for new in (True, False):
            state = _tensors(layout, odd)
            contents += [_saved(state, new), _saved({"model": state, "epoch": 3}, new)]
    return [_case(place / "theirs.pth", content, read_named_tensors) for content in contents]


def arrays(odd: Random, place: Path) -> Sequence[Case]:
    """npz archives, as chainercv writes them."""
    contents = []
    for write in (np.savez, np.savez_compressed):
        sink = io.BytesIO()
        held: Any = {name: tensor.numpy() for name, tensor in _tensors("chainercv", odd).items()}
        write(sink, **held)
        contents.append(sink.getvalue())
    return [_case(place / "theirs.npz", content, read_named_tensors) for content in contents]


def caffemodels(odd: Random, place: Path) -> Sequence[Case]:
    """Caffe's files, current and early; and, which no command reads, a file of safetensors."""
    contents = [_caffemodel(_tensors("caffe", odd)), _early_caffemodel(), _caffemodel({"a/0": torch.ones(2, 3)})]
    return [
        *(_case(place / "theirs.caffemodel", content, read_named_tensors) for content in contents),
        Case(content=_safetensors(), read=partial(_described, place / "theirs.safetensors"), answer=lambda _: None),
    ]


def checkpoints(odd: Random, place: Path) -> Sequence[Case]:
    """The newest of two checkpoints of a training."""
    folder = CheckpointFolder(path=str(place / "checkpoints"))
    detector = Detector(SPEC, torch.Generator().manual_seed(odd.randrange(2**31)))
    optimiser = torch.optim.SGD(detector.parameters(), lr=0.1, momentum=0.9)
    detector(torch.zeros(1, 3, 64, 64))[0].sum().backward()
    for step in (1, 2):
        optimiser.step()
        folder.save(step, detector, optimiser)
    file = place / "checkpoints/step-000000002.pt"
    return [Case(content=file.read_bytes(), read=partial(_resumed, file, folder, detector, optimiser))]


def _resumed(file: Path, folder: CheckpointFolder, detector: Detector, optimiser: Any, content: bytes) -> Any:
    file.write_bytes(content)
    step = folder.newest_step()
    try:
        folder.restore(step, detector, optimiser)
    except ValueError as error:  # as stages/training/driver.py does
        raise PipelineError(str(error)) from error
    return step, [tensor.tolist() for tensor in detector.state_dict().values()]


def _case(file: Path, content: bytes, read: Callable[[io.BytesIO], Mapping[str, Tensor]]) -> Case:
    return Case(content=content, read=partial(_described, file), answer=lambda held: _listed(read(io.BytesIO(held))))


def _described(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    for line in description(str(file), AUTODETECT):
        print(line)


def _listed(tensors: Mapping[str, Tensor]) -> Mapping[str, Any]:
    return {name: (str(tensor.dtype), tensor.tolist()) for name, tensor in tensors.items()}


def _tensors(layout: str, odd: Random) -> dict[str, Tensor]:
    """Small tensors under the names of a layout."""
    names = LAYOUTS[layout]  # type: ignore[index]
    layers = names.layers(6)
    weights = {f"{layer}{names.separator}{names.weight}": torch.rand(4, 2, 1, 1) for layer in odd.sample(layers, 3)}
    first = f"{layers[0]}{names.separator}{names.weight}"
    return {first: torch.rand(4, 3, 3, 3), **weights, names.l2_norm: torch.rand(4)}


def _saved(content: object, new_format: bool) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=new_format)
    return stream.getvalue()


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    digits = []
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


def _caffemodel(tensors: Mapping[str, Tensor]) -> bytes:
    layers = []
    for name, tensor in tensors.items():
        shape = b"".join(map(_varint, tensor.shape))
        blob = _field(7, _field(1, shape)) + _field(5, tensor.numpy().astype("<f4").tobytes())
        layers.append(_field(100, _field(1, name.rpartition("/")[0].encode()) + _field(7, blob)))
    return b"".join(layers)


def _early_caffemodel() -> bytes:
    data = struct.pack("<6f", *range(6))
    return _field(2, _field(4, b"ip") + _field(6, b"\x08\x01\x10\x01\x18\x02\x20\x03" + _field(5, data)))


def _safetensors() -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(8)
