"""Layers that SSD adds to plain convolutions, and the initialisation of new ones. Maps are (B, C, H, W)."""

from __future__ import annotations

from collections import OrderedDict
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ssd_core.backbones.blueprint import Blueprint, Conv, Pool

L2_NORM_EPSILON = 1e-10
"""Added to the sum of squares; it would vanish in half precision."""


class GroupNorm(nn.GroupNorm):
    """GroupNorm computed on contiguous maps, whatever their layout.

    On CPUs torch's kernel for channels-last maps computes the variance as E[x^2] - E[x]^2, which loses precision on
    nearly constant maps: a rounding difference of 1e-7 grew to 1e-3 of the loss after four steps.
    On a GPU, autocast computes it in float32. There the result returns to the precision of the maps, as the next
    convolution requires anyway, in the copy that restores the layout: 28 bytes of traffic a value instead of 44.
    """

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        if features.is_cuda:
            return self._on_gpu(features)
        normalised = super().forward(features.contiguous())
        if features.is_contiguous(memory_format=torch.channels_last):
            return normalised.contiguous(memory_format=torch.channels_last)
        return normalised

    def _on_gpu(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        last = features.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if last else torch.contiguous_format
        precision = torch.promote_types(features.dtype, self.weight.dtype)
        precise = features.to(precision, memory_format=torch.contiguous_format)
        return super().forward(precise).to(features.dtype, memory_format=layout)


class Convolution(nn.Module):
    """Convolution, GroupNorm if `norm_groups` is positive, ReLU."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        padding: int = 1,
        dilation: int = 1,
        bias: bool = True,
        norm_groups: int = 0,
    ) -> None:
        super().__init__()
        if norm_groups and channels_out % norm_groups:
            raise ValueError(f"{channels_out} channels cannot be split into norm_groups={norm_groups} equal groups")
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, padding, dilation, bias=bias)
        self.norm = GroupNorm(norm_groups, channels_out) if norm_groups else nn.Identity()

    def forward(self, features: Float[Tensor, "B Cin H W"]) -> Float[Tensor, "B Cout H2 W2"]:
        return torch.relu_(self.norm(self.conv(features)))


def build_layers(blueprint: Blueprint, norm_groups: int) -> nn.Sequential:
    """Return the layers as a sequence of modules, by name."""
    return nn.Sequential(OrderedDict((layer.name, _module(layer, norm_groups)) for layer in blueprint))


def _module(layer: Conv | Pool, norm_groups: int) -> nn.Module:
    if isinstance(layer, Pool):
        return nn.MaxPool2d(layer.kernel, layer.stride, layer.padding, ceil_mode=layer.round_up)
    return Convolution(
        layer.channels_in,
        layer.channels,
        kernel=layer.kernel,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        bias=layer.bias,
        norm_groups=norm_groups,
    )


class L2Norm(nn.Module):
    """Normalise the feature vector at every position, then scale its channels by learnt factors (paper section 3.1)."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels,), scale))

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        precise = features.to(torch.promote_types(features.dtype, torch.float32))
        squares = precise.square().sum(dim=1, keepdim=True)
        scaled = precise * torch.rsqrt(squares + L2_NORM_EPSILON) * self.scale[:, None, None]
        return scaled.to(features.dtype)


@torch.no_grad()
def initialise(module: nn.Module, generator: torch.Generator | None = None) -> None:
    """Apply Caffe's "xavier" to every convolution: uniform with variance 1 / fan-in; biases are zero.

    This is not `torch.nn.init.xavier_uniform_`, which divides by the mean of fan-in and fan-out.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            bound = sqrt(3 / layer.weight[0].numel())
            layer.weight.uniform_(-bound, bound, generator=generator)
            if layer.bias is not None:
                layer.bias.zero_()
