"""Weights files of every kind: this project's, other programs', VGG16; in every format that PyTorch has written."""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ssd_core.network.model import Detector
from ssd_core.spec.detector import Preprocessing
from ssd_core.spec.paper import ssd300
from ssd_core.weights.any_weights import read_weights
from ssd_core.weights.importing import tensor_names
from ssd_core.weights.layouts.known import LAYOUTS
from ssd_core.weights.layouts.layout import ImportChoices
from ssd_core.weights.named_tensors import read_named_tensors
from ssd_core.weights.weights import FORMAT, Weights, save_weights


def stream_of(content: object, *, new_format: bool = True) -> io.BytesIO:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=new_format)
    stream.seek(0)
    return stream


@pytest.mark.parametrize("new_format", [True, False])
def test_a_detector_of_another_program_is_imported_without_naming_its_layout(new_format):
    state = Detector(ssd300(), torch.Generator().manual_seed(0)).state_dict()
    names = tensor_names(LAYOUTS["amdegroot"], ssd300())
    file = stream_of({names[name]: tensor for name, tensor in state.items()}, new_format=new_format)
    weights = read_weights(file)
    assert weights.spec.preprocessing == Preprocessing(channel_order="rgb", mean=(123, 117, 104))
    assert all(torch.equal(weights.state[name], tensor) for name, tensor in state.items())


def test_the_project_s_own_weights_are_read_unchanged(small_spec):
    stream = io.BytesIO()
    save_weights(Weights(spec=small_spec, state={"l2_norm.scale": torch.ones(32)}), stream)
    stream.seek(0)
    assert read_weights(stream).spec == small_spec


def test_weights_of_a_newer_ssdpipe_ask_for_an_update():
    with pytest.raises(ValueError, match="update ssdpipe"):
        read_weights(stream_of({"format": FORMAT + 1, "spec": {}, "state": {}}))


def test_a_file_of_another_kind_is_refused_with_its_first_names():
    with pytest.raises(ValueError, match=r"neither weights of ssdpipe nor a detector.*first names are layer1\.weight"):
        read_weights(stream_of({"layer1.weight": torch.zeros(1)}))


def test_an_explicit_layout_is_enforced():
    with pytest.raises(ValueError, match="not a detector in the layout of lufficc"):
        read_weights(stream_of({"vgg.0.weight": torch.zeros(1)}), ImportChoices(layout="lufficc"))


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 cut", b"\x80\x02\x8a\nl", b"\x0a\x7f"])
def test_a_file_of_another_kind_or_truncated_is_refused(content):
    with pytest.raises(ValueError, match="not an intact file of tensors"):
        read_weights(io.BytesIO(content))


class Mischief:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("new_format", [True, False])
def test_nothing_in_a_pytorch_file_is_executed(tmp_path, new_format):
    with pytest.raises(ValueError, match="not an intact file of tensors"):
        read_named_tensors(stream_of({"conv.weight": Mischief(tmp_path / "mark")}, new_format=new_format))
    assert not (tmp_path / "mark").exists()


def test_nothing_in_an_npz_is_executed(tmp_path):
    stream = io.BytesIO()
    arrays: dict[str, Any] = {"extractor/conv1_1/W": np.array([Mischief(tmp_path / "mark")], object)}
    np.savez(stream, **arrays)
    stream.seek(0)
    with pytest.raises(ValueError, match="not an npz file of numeric arrays"):
        read_named_tensors(stream)
    assert not (tmp_path / "mark").exists()


def test_a_file_of_python_2_and_a_pytorch_of_2017_is_read():
    """The reduced VGG16 in circulation was written this way: before the zip format, with text as Python 2 bytes."""
    values = torch.arange(6.0)
    found = read_named_tensors(io.BytesIO(_written_in_2017("0.weight", values)))
    assert torch.equal(found["0.weight"], values.reshape(2, 3))


def _written_in_2017(name: str, values: torch.Tensor) -> bytes:
    """torch.save 0.2 under Python 2: pickles of magic, version, system, tensors and keys, then raw numbers."""

    class Storage:
        pass

    python: Any = pickle._Pickler  # in Python, so that its handling of types can be overridden; missing in typeshed

    class Pickler(python):  # type: ignore[misc]
        dispatch = python.dispatch.copy()

        def save_text(self, text):
            self.write(pickle.SHORT_BINSTRING + bytes([len(text)]) + text.encode())
            self.memoize(text)

        dispatch[str] = save_text

        def persistent_id(self, item):
            if isinstance(item, Storage):
                return ("storage", torch.FloatStorage, "1", "cpu", len(values), None)
            return None

    class Tensor:
        def __reduce__(self):
            return torch._utils._rebuild_tensor, (Storage(), 0, (2, 3), (3, 1))

    out = io.BytesIO()
    for content in (
        0x1950A86A20F9469CFC6C,
        1001,
        {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}},
        OrderedDict([(name, Tensor())]),
        ["1"],
    ):
        Pickler(out, 2).dump(content)
    return out.getvalue() + struct.pack("<q", len(values)) + values.numpy().tobytes()
