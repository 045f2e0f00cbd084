"""Checks of compiled networks on a GPU, without a compiler, at tiny sizes."""

from __future__ import annotations

import pytest
import torch
from gpu.compiled_checks import checked, compiled_cases

from ssd_core.spec.tiny import ssd_tiny
from ssd_core.spec.vocabularies import VOC_CLASSES
from ssd_core.training.compilation import TensorErrors


def test_each_network_is_compared_as_trainings_compile_it_and_by_default():
    spec = ssd_tiny(VOC_CLASSES)
    images = torch.randint(0, 256, (1, 3, 130, 130), dtype=torch.uint8)
    with torch.compiler.set_stance("force_eager"):
        cases = dict(compiled_cases(spec, torch.device("cpu")))
        assert cases["compiled as trainings, GroupNorm, fp32"](images).passed
    assert "compiled default, no GroupNorm, fp32" in cases


def test_a_check_lists_the_worst_tensors_first():
    errors = {"right": TensorErrors(0.01, 0.02, 0.08), "wrong": TensorErrors(1.0, 0.02, 0.08)}
    check = checked(errors)
    assert not check.passed
    assert check.difference == pytest.approx(12.5)
    assert check.details is not None
    assert list(check.details) == ["wrong", "right"]
    assert check.details["wrong"] == {"compiled": 1.0, "uncompiled": 0.02, "allowed": 0.08}
