"""Other default boxes for a detector: fewer shapes (paper section 3.1, Table 2), other source layers (Table 3).

When a map is no longer a source, its scales are stacked on the remaining ones, so that the total number of default
boxes stays about the same. A tiling lists the source layers and how many of the specification's scales each takes;
boxes, sizes and steps follow from the specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ssd_core.spec.detector import DetectorSpec, Scale, Source
from ssd_core.spec.paper import with_scales

STACKED_RATIOS = (2.0,)
"""Ratios of each scale where several share a layer: 4 boxes with both squares. The only interpretation of Table 3 that
yields the box counts of its rows 2 to 4 from the six original scales."""


@dataclass(frozen=True, kw_only=True)
class Stacked:
    """A layer that takes the next scales of the specification; a single scale keeps the layer's own ratios."""

    layer: str
    scales: int = 1
    large_square: bool = True


@dataclass(frozen=True, kw_only=True)
class Sized:
    """A layer with explicit scales, for tilings that `Stacked` cannot express."""

    layer: str
    sizes: tuple[tuple[float, float], ...]
    """Size and next size of each scale, as fractions of the input."""

    ratios: tuple[float, ...]


Tiling = tuple[Stacked | Sized, ...]


def without_ratios(spec: DetectorSpec, *ratios: float) -> DetectorSpec:
    """Return the detector without boxes of these ratios and their reciprocals; squares stay.

    Raises ValueError for a ratio that no box has.
    """
    known = {ratio for source in spec.sources for scale in source.scales for ratio in scale.ratios}
    if unknown := sorted(set(ratios) - known):
        raise ValueError(f"no default box has the ratio {unknown}; this specification has {sorted(known)}")

    def change(scale: Scale) -> Scale:
        return replace(scale, ratios=tuple(ratio for ratio in scale.ratios if ratio not in ratios))

    return with_scales(spec, change)


def tiled(spec: DetectorSpec, tiling: Tiling) -> DetectorSpec:
    """Return the detector whose only sources are the layers of the tiling.

    The `Stacked` layers take the scales of the specification in turn, smallest first; remaining scales are dropped.
    Raises ValueError for a layer that is not a source, or for more scales than the specification has.
    """
    scales = iter(sorted((scale for source in spec.sources for scale in source.scales), key=lambda scale: scale.size))
    return replace(spec, sources=tuple(_source(spec, part, scales) for part in tiling))


def _source(spec: DetectorSpec, part: Stacked | Sized, scales: Iterator[Scale]) -> Source:
    own = {source.layer: source for source in spec.sources}.get(part.layer)
    if own is None:
        known = ", ".join(source.layer for source in spec.sources)
        raise ValueError(f"{part.layer!r} in the tiling is not a source of this specification; it has {known}")
    if isinstance(part, Sized):
        return replace(own, scales=tuple(_sized(part, spec.input_size)))
    return replace(own, scales=tuple(_stacked(part, own, scales)))


def _sized(part: Sized, input_size: int) -> Iterator[Scale]:
    for size, after in part.sizes:
        yield Scale(size=size * input_size, next_size=after * input_size, ratios=part.ratios)


def _stacked(part: Stacked, own: Source, scales: Iterator[Scale]) -> Iterator[Scale]:
    ratios = own.scales[0].ratios if part.scales == 1 else STACKED_RATIOS
    for taken in range(part.scales):
        scale = next(scales, None)
        if scale is None:
            raise ValueError(f"{part.layer} takes {part.scales} scales, but the specification has only {taken} left")
        yield replace(scale, ratios=ratios, large_square=part.large_square)
