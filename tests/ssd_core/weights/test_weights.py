"""Weights files round-trip with their specification, and nothing in a file is executed."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec, Preprocessing
from ssd_core.spec.paper import ssd300
from ssd_core.weights.weights import FORMAT, Weights, load_weights, save_weights


def stream_of(content: object) -> io.BytesIO:
    stream = io.BytesIO()
    torch.save(content, stream)
    stream.seek(0)
    return stream


def written(weights: Weights) -> io.BytesIO:
    stream = io.BytesIO()
    save_weights(weights, stream)
    stream.seek(0)
    return stream


def test_weights_come_back_bitwise_with_their_specification(small_spec: DetectorSpec):
    spec = replace(small_spec, preprocessing=Preprocessing(channel_order="rgb", std=(58.0, 57.0, 57.5)))
    detector = Detector(spec, torch.Generator().manual_seed(1)).eval()
    loaded = load_weights(written(Weights(spec=spec, state=detector.state_dict())))
    assert loaded.spec == spec
    images = torch.randint(0, 256, (2, 3, 64, 64), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    for ours, theirs in zip(detector(images), loaded.detector()(images), strict=True):
        assert torch.equal(ours, theirs)
    assert not loaded.detector().training


def test_the_papers_specification_survives_the_file():
    assert load_weights(written(Weights(spec=ssd300(), state={}))).spec == ssd300()


def test_loading_executes_nothing(tmp_path: Path):
    class Mischief:
        def __reduce__(self):
            return Path.touch, (tmp_path / "executed",)

    with pytest.raises(ValueError, match="not an intact file of tensors"):
        load_weights(stream_of({"format": FORMAT, "spec": {}, "state": Mischief()}))
    assert not (tmp_path / "executed").exists()


def test_a_newer_format_asks_for_a_newer_version():
    with pytest.raises(ValueError, match=f"format {FORMAT + 1}, but this version reads up to {FORMAT}: update ssdpipe"):
        load_weights(stream_of({"format": FORMAT + 1, "spec": {}, "state": {}}))


def test_a_state_dict_alone_holds_no_specification():
    with pytest.raises(ValueError, match="it holds no specification"):
        load_weights(stream_of({"conv.weight": torch.zeros(1)}))


@pytest.mark.parametrize("content", [b"", b"no file of torch", b"PK\x03\x04 cut short"])
def test_a_file_of_another_kind_is_refused(content: bytes):
    with pytest.raises(ValueError, match="not an intact file of tensors"):
        load_weights(io.BytesIO(content))
