"""All that a report tells, as data; who gathers it need not know how it is shown, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stages.tables.content import Line, TableContent

Setting = tuple[str, str, str]
"""Name, ours, the paper's."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What one training, or the validation of its checkpoints, told while it ran."""

    row: str
    """Label of the table's row; that of the training where it stands in no row."""

    values: Mapping[str, tuple[tuple[int, float], ...]]
    """Steps and values by the name of the metric."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """A figure that a stage made."""

    stage: str
    """Its address."""

    name: str
    """Of the file; its suffix says whether it is PNG or SVG."""

    content: bytes


@dataclass(frozen=True, kw_only=True)
class RunLink:
    """Where a run is recorded in MLflow."""

    stage: str
    run: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """One experiment at one preset, as far as it was run."""

    name: str
    heading: str
    """The table or figure of the paper."""

    question: str
    remarks: tuple[tuple[str, str], ...] = ()
    """Title and text: what the paper found, what is expected, how the experiment differs."""

    warnings: tuple[str, ...] = ()
    """Why these are not the paper's conditions, beside the preset."""

    table: TableContent
    lines: tuple[Line, ...]
    departures: tuple[tuple[str, tuple[Setting, ...]], ...] = ()
    """Settings of a row, by its label, that not all rows have and that are not those of the paper's SSD300."""

    curves: tuple[Curve, ...] = ()
    images: tuple[Image, ...] = ()
    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    runs: tuple[RunLink, ...] = ()
    runs_note: str = ""
    """How the links are made to work."""

    digest: str = ""
    """Of all results that the page shows."""

    waiting: tuple[str, ...] = field(default=())
    """Addresses of stages without a result."""
