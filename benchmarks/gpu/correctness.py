"""Part (a): ssd_core computes on the device what it computes on the CPU; how often a training step waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from gpu.comparison import Check
from gpu.compiled_checks import compiled_cases
from gpu.learnt import learnt_checks
from gpu.networks import network_checks, variants
from gpu.operations import operation_checks
from gpu.record import Options, Record
from gpu.shards import resident, sample
from gpu.trainings import STEPS, synchronisations, training_checks

from ssd_core.data.evaluation_stream import evaluation_batches
from ssd_core.data.shards import ShardSet
from ssd_core.network.precision import has_bf16
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import ssd300
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.tiny import ssd_tiny

ROOT = Path(__file__).parents[2]
TESTS_SECONDS = 150
COMPILATION = 90
"""Seconds that must be left for the check of a compiled SSD300."""


def measure(options: Options) -> dict[str, Any]:
    """Run every comparison; `all_passed` covers those whose time sufficed."""
    record = Record("correctness", options)
    with tempfile.TemporaryDirectory() as scratch, exact_arithmetic():
        shards, images = sample(options.data, Path(scratch))
        record.put("sample", "images", images)
        spec = ssd_tiny(shards.classes) if options.small else ssd300(shards.classes)
        recipe = Recipe(spec=spec, batch_size=4 if options.small else 8)
        batches = resident(shards, recipe, STEPS)
        put_all(record, "operations", operation_checks(spec, batches[0], options.device))
        for name, build in variants(options.small).items():
            shown = pictures(shards, build(), 2)
            put_all(record, "networks", network_checks(name, build(), shown, options.device))
        put_all(record, "trainings", training_checks(with_norms(recipe), batches, options.device))
        put_all(
            record, "trained detector", learnt_checks(with_norms(recipe), batches[:2], options.device, options.small)
        )
        if options.device.type == "cuda":
            for precision in ("fp32", "bf16") if has_bf16(options.device) else ("fp32",):
                waits = synchronisations(replace(recipe, precision=precision), batches[0], options.device)
                record.put("waits of a training step for the device", precision, waits)
        if record.has_time("tests", "tests/ssd_core", 30):
            record.put("tests", "tests/ssd_core", tests(options.small))
        if options.device.type == "cuda":
            shown = pictures(shards, spec, recipe.batch_size)
            for name, compare in compiled_cases(spec, options.device):
                if record.has_time("compiled", name, COMPILATION):
                    put_all(record, "compiled", [(name, compare(shown))])
    return record.content


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Context without TF32 and with deterministic cuDNN."""
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.deterministic
    cudnn.allow_tf32, cudnn.deterministic = False, True
    try:
        yield
    finally:
        cudnn.allow_tf32, cudnn.deterministic = before


def put_all(record: Record, group: str, checks: Iterable[tuple[str, Check]]) -> None:
    """Record checks as they finish, and whether all so far have passed."""
    for name, check in checks:
        record.content["all_passed"] = record.content.get("all_passed", True) and check.passed
        record.put(group, name, check.document())


def with_norms(recipe: Recipe) -> Recipe:
    """Return the recipe with GroupNorm, without which random weights hardly train."""
    return recipe if recipe.spec.norm_groups else replace(recipe, spec=replace(recipe.spec, norm_groups=32))


def pictures(shards: ShardSet, spec: DetectorSpec, count: int) -> torch.Tensor:
    """Return the first images of the shards at the input size."""
    return next(evaluation_batches(shards, input_size=spec.input_size, batch_size=count)).images


def tests(small: bool) -> dict[str, Any]:
    """Run the project's tests of ssd_core, which compute on the CPU, and return their last line."""
    command = [sys.executable, "-m", "pytest", "tests/ssd_core/boxes" if small else "tests/ssd_core", "-q"]
    command += ["-p", "no:cacheprovider", "-m", "not slow"]
    command += ["-n", "12"] if find_spec("xdist") and not small else []
    try:
        run = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=TESTS_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return {"passed": False, "summary": f"not finished after {TESTS_SECONDS} s"}
    lines = run.stdout.strip().splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return {"passed": run.returncode == 0, "summary": lines[-1] if lines else run.stderr[-500:], "failed": failed}
