"""The kernels of the suppression: on a CPU through Triton's interpreter, on a GPU compiled."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from ssd_core.detection.fused import MOST_CANDIDATES, fused_detections, packed_detections, unsupported_reason
from ssd_core.detection.limits import DetectionLimits
from ssd_core.detection.static_suppression import PASSES

CASES = Path(__file__).with_name("fused_cases.py")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def fused_cases() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fused_cases", CASES)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not importlib.util.find_spec("triton"), reason="needs Triton")
def test_interpreted_on_a_cpu_the_kernels_find_what_torch_finds():
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run([sys.executable, CASES], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert len(lines) == 10
    assert [line for line in lines if not line.endswith(": equal")] == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_kernels_find_what_torch_finds(fused_cases):
    for name, predictions in fused_cases.cases():
        assert fused_cases.equal(fused_cases.Arguments(*(each.cuda() for each in predictions[:3]), *predictions[3:])), (
            name
        )
    chain = fused_cases.chain()
    found, complete = fused_detections(*(each.cuda() for each in chain[:3]), *chain[3:]).read()
    assert (len(found[0]), complete) == (2 * PASSES, [True])


def test_without_a_gpu_torch_finds_the_detections(fused_cases):
    (_, predictions), *_ = fused_cases.cases()
    assert unsupported_reason(predictions.logits, predictions.limits) == "predictions are not on a GPU"
    assert len(packed_detections(*predictions).read()[0][0]) == 400


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_what_the_kernels_cannot_serve_is_left_to_torch(fused_cases):
    logits, limits = torch.zeros(1, 2000, 3).cuda(), DetectionLimits()
    assert unsupported_reason(logits, limits) == ""
    assert unsupported_reason(logits.double(), limits) == "predictions are in double precision"
    many = replace(limits, per_image=MOST_CANDIDATES)
    assert unsupported_reason(logits, many) == f"more than {MOST_CANDIDATES} candidates of an image are compared"
