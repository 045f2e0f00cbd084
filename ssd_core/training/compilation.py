"""torch.compile in a training: a step relies on the compiled network only after its gradients have been checked.

Compilers have returned wrong gradients without an error: for SSD300 with GroupNorm in bf16, those of torch 2.11 on an
H100 had a cosine of 0.58 with the gradients in fp32, the uncompiled ones 0.9992. The check weights the outputs of both
networks for the same images with the same random numbers and compares the gradients of every parameter. It has no
discrete choices, such as those of hard negatives, that rounding could change, and leaves no trace in the training:
neither in `.grad` nor in a random stream.

Tested in tests/ssd_core/training/test_compilation.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import inf, isnan
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ssd_core.network.model import Detector
from ssd_core.network.precision import Precision, autocast

Network = Callable[[Tensor], tuple[Tensor, Tensor]]

COMPILER: Mapping[str, Any] = {
    "dynamic": False,  # every batch has the same shape
    # has lost or corrupted gradients on GPUs since torch 2.10 (PyTorch issues 190796, 193061, 195845)
    "options": {"triton.mix_order_reduction": False},
}
"""Arguments of torch.compile."""

OWN_ERROR = 3.0
"""How many times the error of the uncompiled network in the training's precision that of the compiled one may be."""

ROUNDING = 0.02
"""Error that is allowed in any case, as a share of the norm of a tensor; enough for sums in another order."""

NEGLIGIBLE = 1e-3
"""Share of the norm of the whole gradient below which a tensor's own norm is not what its error is compared with."""

PIECES = {"exact": 4, "plain": 8}
"""In how many pieces the uncompiled network computes the images: the check then needs no more memory than a step, and
the difference between the two includes the order of sums."""


class CompilerError(Exception):
    """The compiled network cannot be computed."""


class TensorErrors(NamedTuple):
    """Errors of one gradient or output against the uncompiled network in fp32, as shares of its norm there."""

    compiled: float
    uncompiled: float
    allowed: float

    @property
    def share(self) -> float:
        """Error of the compiled network as a share of the allowed one; infinite for NaN."""
        share = self.compiled / self.allowed
        return inf if isnan(share) else share


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a training may use the compiled network."""

    refusal: str = ""
    """Reason why not; empty if it may."""

    difference: float = 0.0
    """Error of the worst tensor, as a share of the allowed error."""


def compiled(network: nn.Module) -> Network:
    """Return the network compiled for batches of one shape; it is compiled when it is first called."""
    function: Network = torch.compile(network, **COMPILER)
    return function


def examine(detector: Detector, candidate: Network, shares: Iterable[Tensor], precision: Precision) -> Verdict:
    """Compare `candidate`, which is `detector` compiled, with the detector on images; they should be what it trains on.

    Errors are measured against the detector in fp32. Collective operations in `candidate` must be off.
    """
    worst = Verdict()
    for images in shares:
        try:
            verdict = _verdict(tensor_errors(detector, candidate, images, precision))
        except CompilerError as error:
            return Verdict(refusal=f"torch.compile failed: {error}", difference=inf)
        worst = max(worst, verdict, key=lambda each: each.difference)
    return worst


def tensor_errors(
    detector: Detector, candidate: Network, images: Tensor, precision: Precision
) -> dict[str, TensorErrors]:
    """Return the errors of every gradient and both outputs by name; raise CompilerError if `candidate` fails."""
    weights = _weights(detector, images)
    exact = _values(detector, images, detector, weights, "fp32", PIECES["exact"])
    plain = _values(detector, images, detector, weights, precision, PIECES["plain"])
    try:
        values = _values(candidate, images, detector, weights, precision)
    except Exception as error:  # whatever a compiler raises: the training can do without it
        raise CompilerError(_first_line(error)) from error
    norms, compiled_errors, plain_errors = (
        torch.stack([tensor.norm() for tensor in tensors]).double().cpu()
        for tensors in (exact.values(), _differences(values, exact), _differences(plain, exact))
    )
    norms = norms.clamp(min=NEGLIGIBLE * float(norms[:-2].norm()))  # the last two are the outputs
    shares = zip((compiled_errors / norms).tolist(), (plain_errors / norms).tolist(), strict=True)
    return {
        name: TensorErrors(error, own, OWN_ERROR * own + ROUNDING)
        for name, (error, own) in zip(exact, shares, strict=True)
    }


def _weights(detector: Detector, images: Tensor) -> list[Tensor]:
    """Return random weights of locations and logits; all of them, so that no part of the network goes unchecked."""
    rng, boxes = torch.Generator().manual_seed(0), len(detector.default_boxes)
    widths = 4, detector.spec.class_count
    return [torch.randn((len(images), boxes, width), generator=rng).to(images.device) for width in widths]


def _values(
    network: Network, images: Tensor, detector: Detector, weights: list[Tensor], precision: Precision, pieces: int = 1
) -> dict[str, Tensor]:
    """Return the outputs and the gradients of their weighted sum, by name."""
    parameters = {name: each for name, each in detector.named_parameters() if each.requires_grad}
    gradients = {name: torch.zeros_like(each, dtype=torch.float32) for name, each in parameters.items()}
    outputs = []
    for rows in torch.arange(len(images)).chunk(pieces):
        piece = slice(int(rows[0]), int(rows[-1]) + 1)
        with autocast(precision, images.device):
            computed = network(images[piece])
        own = [weight[piece].to(output.dtype) for weight, output in zip(weights, computed, strict=True)]
        found = torch.autograd.grad(computed, list(parameters.values()), own, allow_unused=True)
        for name, gradient in zip(parameters, found, strict=True):
            if gradient is not None:
                gradients[name] += gradient
        outputs.append([output.detach().float() for output in computed])
    locations, logits = (torch.cat(parts) for parts in zip(*outputs, strict=True))
    return gradients | {"the predicted locations": locations, "the predicted scores": logits}


def _verdict(errors: Mapping[str, TensorErrors]) -> Verdict:
    """Return the verdict on the tensor whose error is the largest share of what is allowed."""
    name = max(errors, key=lambda each: errors[each].share)
    worst, wrong = errors[name], sum(each.share > 1 for each in errors.values())
    if not wrong:
        return Verdict(difference=worst.share)
    return Verdict(
        refusal=f"torch.compile computes {name} with a relative error of {worst.compiled:.2g}, the uncompiled network "
        f"with {worst.uncompiled:.2g}; {wrong} of {len(errors)} tensors differ by more than rounding",
        difference=worst.share,
    )


def _differences(values: dict[str, Tensor], exact: dict[str, Tensor]) -> list[Tensor]:
    return [values[name] - tensor for name, tensor in exact.items()]


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
