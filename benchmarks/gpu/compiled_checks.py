"""Gradients of compiled networks against uncompiled ones, as a training checks them, with the worst tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import torch
from gpu.comparison import Check
from torch import Tensor

from ssd_core.network.precision import Precision, has_bf16
from ssd_core.spec.detector import DetectorSpec
from ssd_core.training.compilation import COMPILER, TensorErrors, tensor_errors
from ssd_core.weights.initial import initial_detector

SHOWN = 12
"""Number of tensors that are listed, worst first."""

COMPILERS: Mapping[str, Mapping[str, Any]] = {"as trainings": COMPILER, "default": {"dynamic": False}}
"""Arguments of torch.compile; the suspected reduction is off in trainings and on by default."""


def compiled_cases(spec: DetectorSpec, device: torch.device) -> Iterator[tuple[str, Callable[[Tensor], Check]]]:
    """Yield comparisons with and without GroupNorm, the suspected ones first; each takes uint8 images of input size."""
    precisions: tuple[Precision, ...] = ("bf16", "fp32") if has_bf16(device) else ("fp32",)
    for norm_groups, precision, compiler in product((spec.norm_groups or 32, 0), precisions, COMPILERS):
        name = f"compiled {compiler}, {'GroupNorm' if norm_groups else 'no GroupNorm'}, {precision}"
        yield name, partial(_compared, replace(spec, norm_groups=norm_groups), precision, COMPILERS[compiler], device)


def _compared(
    spec: DetectorSpec, precision: Precision, arguments: Mapping[str, Any], device: torch.device, images: Tensor
) -> Check:
    torch.compiler.reset()
    detector = initial_detector(spec, seed=0).to(device).to(memory_format=torch.channels_last).train()
    network: Any = torch.compile(detector, **arguments)
    shown = images.to(device).contiguous(memory_format=torch.channels_last)
    return checked(tensor_errors(detector, network, shown, precision))


def checked(errors: Mapping[str, TensorErrors]) -> Check:
    """Return the check of the worst tensor, which lists the others."""
    worst = sorted(errors, key=lambda name: errors[name].share, reverse=True)
    return Check(
        difference=errors[worst[0]].share,
        tolerance=1.0,
        measure="error of the worst tensor / the error that a training allows",
        details={name: dict(errors[name]._asdict()) for name in worst[:SHOWN]},
    )
