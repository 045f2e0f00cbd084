"""Files of weights that are too large, incomplete or not finite are refused, whatever their format."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.plain import to_plain
from ssd_core.weights.any_weights import read_weights
from ssd_core.weights.importing import import_weights
from ssd_core.weights.named_tensors import read_named_tensors
from ssd_core.weights.weights import FORMAT, Weights, load_weights, save_weights


def saved(content: object) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def npy(shape: str) -> bytes:
    """An array file that declares a shape and holds no numbers."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


def npz(arrays: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in arrays.items():
            archive.writestr(name, content)
    return stream.getvalue()


BELOW_1_GIB = """
import resource, sys
from ssd_core.weights.any_weights import read_weights
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**30,) * 2)
try:
    read_weights(open(sys.argv[1], "rb"))
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (saved({"vgg.0.weight": torch.ones(1).expand(2**31)}), "takes 8,589,934,592 bytes, but the file holds 4"),
        (npz({"a.npy": npy("(1000000000000,)")}), "needs 4,000,000,000,000 bytes, but holds"),
    ],
    ids=["expanded", "npz"],
)
def test_a_file_that_declares_more_than_it_holds_is_refused_without_allocating_it(
    tmp_path: Path, content: bytes, problem: str
):
    (tmp_path / "file").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", BELOW_1_GIB, str(tmp_path / "file")], capture_output=True, text=True, check=False
    )
    assert problem in done.stdout, done.stderr


def test_a_zip_that_declares_more_than_weights_take_is_refused_by_its_directory():
    content = npz({"a.npy": npy("(1,)") + bytes(4), "b.npy": npy("(1,)") + bytes(4)})
    size = (len(npy("(1,)")) + 4).to_bytes(4, "little")
    declared = content.replace(size * 2, size + (0xC0000000).to_bytes(4, "little"))
    with pytest.raises(ValueError, match="it holds 6,442,450,944 bytes, but files of weights are read up to"):
        read_weights(io.BytesIO(declared))


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_weights_that_are_not_finite_are_refused_with_their_name_and_number(value: float, kind: torch.dtype):
    tensor = torch.ones(5, 5, dtype=kind)
    tensor[2, 3] = value
    with pytest.raises(ValueError, match=r"conv has 1 of 25 values that are NaN or infinite: the training .* diverged"):
        read_named_tensors(io.BytesIO(saved({"conv": tensor})))


def test_weights_of_ssdpipe_that_are_not_finite_are_refused(small_spec: DetectorSpec):
    state = Detector(small_spec).state_dict()
    state["heads.conv7.logits.bias"][1] = torch.nan
    with pytest.raises(ValueError, match=r"heads\.conv7\.logits\.bias has 1 of"):
        load_weights(io.BytesIO(written(small_spec, state)))


def written(spec: DetectorSpec, state: dict[str, Tensor]) -> bytes:
    stream = io.BytesIO()
    save_weights(Weights(spec=spec, state=state), stream)
    return stream.getvalue()


def test_weights_of_ssdpipe_of_other_shapes_than_their_specification_are_refused(small_spec: DetectorSpec):
    with pytest.raises(ValueError, match=r"l2_norm\.scale is \(7,\), but their specification needs \(\d+,\)"):
        load_weights(io.BytesIO(written(small_spec, {"l2_norm.scale": torch.ones(7)})))


def test_a_specification_with_too_many_boxes_is_refused_before_they_are_computed(small_spec: DetectorSpec):
    with pytest.raises(ValueError, match=r"it has [\d,]+ default boxes, but detectors are read up to 1,000,000"):
        load_weights(io.BytesIO(written(replace(small_spec, input_size=1_000_000), {})))


@pytest.mark.parametrize(
    "tensor", [torch.ones(3).to_sparse(), torch.ones(3, dtype=torch.complex64)], ids=["sparse", "complex"]
)
def test_a_tensor_that_is_not_of_plain_numbers_is_refused(tensor: Tensor):
    with pytest.raises(ValueError, match="conv is no plain tensor of real numbers"):
        read_named_tensors(io.BytesIO(saved({"conv": tensor})))


def test_a_view_of_a_larger_tensor_and_numbers_of_any_type_are_read():
    columns = torch.arange(12.0).reshape(3, 4).t()
    found = read_named_tensors(io.BytesIO(saved({"conv": columns, "count": torch.tensor(3), "none": torch.ones(0)})))
    assert torch.equal(found["conv"], columns)
    assert found["count"] == 3


@pytest.mark.parametrize(
    "change",
    [
        {"state": 7},
        {"state": {"l2_norm.scale": 1.0}},
        {"state": {7: torch.ones(1)}},
        {"spec": {"classes": 7}},
        {"spec": {"classes": (1, 2)}},
        {"spec": {"input_size": "many"}},
        {"spec": {"sources": [None]}},
        {"spec": {"backbone": {"kind": "None"}}},
        {"format": None},
    ],
)
def test_a_file_of_ssdpipe_with_values_of_other_types_is_refused(small_spec: DetectorSpec, change: dict[str, Any]):
    content: dict[str, Any] = {"format": FORMAT, "spec": to_plain(small_spec), "state": {}} | change
    content["spec"] = to_plain(small_spec) | change.get("spec", {})
    with pytest.raises(ValueError, match=r".+"):
        read_weights(io.BytesIO(saved(content)))


def arrays() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{"extractor/conv1_1/W": np.ones((4, 3)), "b": np.ones(3)})  # type: ignore[arg-type]
    return stream.getvalue()


def caffemodel() -> bytes:
    """Two layers of a current and of an early Caffe."""
    data = np.ones(6, "<f4").tobytes()
    blob = b"\x3a\x04\x0a\x02\x02\x03" + b"\x2a\x18" + data
    layer = b"\x0a\x04conv" + b"\x3a" + bytes([len(blob)]) + blob
    early = b"\x22\x04fc_6" + b"\x32" + bytes([len(data) + 8]) + b"\x18\x02\x20\x03\x2a\x18" + data
    return b"\xa2\x06" + bytes([len(layer)]) + layer + b"\x12" + bytes([len(early)]) + early


def detectors(small_spec: DetectorSpec) -> list[bytes]:
    own = written(small_spec, {"heads.conv7.logits.bias": Detector(small_spec).state_dict()["heads.conv7.logits.bias"]})
    legacy = io.BytesIO()
    torch.save({"conv": torch.ones(3, 4)}, legacy, _use_new_zipfile_serialization=False)
    return [own, saved({"model": {"conv": torch.ones(3, 4)}}), legacy.getvalue(), arrays(), caffemodel()]


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("reader", [read_weights, import_weights, load_weights, read_named_tensors])
def test_a_file_with_changed_bytes_is_read_or_refused(small_spec: DetectorSpec, reader: Callable[..., Any]):
    random = Random(0)
    for content in detectors(small_spec):
        for _ in range(150):
            changed = bytearray(content[: random.choice([len(content), random.randrange(len(content))])])
            for _ in range(random.choice([1, 4])):
                if changed:
                    changed[random.randrange(len(changed))] = random.randrange(256)
            with suppress(ValueError):
                reader(io.BytesIO(bytes(changed)))
