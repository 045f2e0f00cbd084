"""Precision of the forward pass: fp32 by default, bf16 only in hardware, the loss in fp32."""

from __future__ import annotations

import pytest
import torch

from ssd_core.boxes.matching import match
from ssd_core.boxes.objects import Objects
from ssd_core.network import precision
from ssd_core.network.model import Detector
from ssd_core.network.precision import autocast, check_precision
from ssd_core.training.loss import multibox_loss

CPU = torch.device("cpu")


def test_fp32_is_supported_everywhere(monkeypatch):
    monkeypatch.setattr(precision, "has_bf16", lambda device: False)
    check_precision("fp32", CPU)


def test_bf16_is_refused_where_the_hardware_lacks_it_and_accepted_where_it_has_it(monkeypatch):
    monkeypatch.setattr(precision, "has_bf16", lambda device: False)
    with pytest.raises(ValueError, match="bf16 is not supported by this cpu device: use precision=fp32"):
        check_precision("bf16", CPU)
    monkeypatch.setattr(precision, "has_bf16", lambda device: True)
    check_precision("bf16", CPU)


@pytest.mark.parametrize(("flags", "has"), [((False, False), False), ((True, False), True), ((False, True), True)])
def test_a_cpu_has_bf16_with_avx512_bf16_or_amx(monkeypatch, flags, has):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: flags[0])
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: flags[1])
    assert precision.has_bf16(CPU) is has


@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_the_network_computes_in_the_precision_and_the_loss_in_fp32(small_spec, name, dtype):
    detector = Detector(small_spec, torch.Generator().manual_seed(0))
    with autocast(name, CPU):
        locations, logits = detector(torch.full((1, 3, 64, 64), 120, dtype=torch.uint8))
    assert locations.dtype == logits.dtype == dtype
    objects = Objects(torch.tensor([[[0.1, 0.1, 0.5, 0.5]]]), torch.tensor([[0]]), torch.tensor([[True]]))
    matches = match(detector.default_boxes, objects, small_spec)
    loss = multibox_loss(locations, logits, matches, objects, detector.default_boxes, small_spec)
    assert loss.location.dtype == loss.confidence.dtype == torch.float32
