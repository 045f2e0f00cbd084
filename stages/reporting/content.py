"""The content of a report as data, independent of how it is gathered and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stages.analysis.document import Document
from stages.tables.content import Line, TableContent

Setting = tuple[str, str, str]
"""Name, ours, the paper's."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Values recorded by one training, or by the validation of its checkpoints."""

    row: str
    """Label of the table's row, or of the training if it belongs to no row."""

    values: Mapping[str, tuple[tuple[int, float], ...]]
    """Steps and values by metric name."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """A figure made by a stage."""

    stage: str
    """Address of the stage, or another title."""

    name: str
    """File name; its suffix is jpg, png or svg."""

    content: bytes


@dataclass(frozen=True, kw_only=True)
class Errors:
    """The analysis of the errors of one detector."""

    row: str
    """Address of the analysis."""

    document: Document


@dataclass(frozen=True, kw_only=True)
class RunLink:
    """Link to the MLflow run of a stage."""

    stage: str
    run: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """The claims that the experiment tests."""

    headline: str
    """How many are supported, contradicted, undecided and not tested, and at which scale."""

    claims: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Verdict, sentence, and lines with numbers and remedy."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """One experiment at one preset, as far as it has been run."""

    name: str
    heading: str
    """Table or figure of the paper."""

    question: str
    remarks: tuple[tuple[str, str], ...] = ()
    """Title and text of each remark: the paper's finding, what is expected, how the experiment differs."""

    warnings: tuple[str, ...] = ()
    """Reasons besides the preset why these are not the paper's conditions."""

    verdicts: Verdicts | None = None
    table: TableContent
    lines: tuple[Line, ...]
    departures: tuple[tuple[str, tuple[Setting, ...]], ...] = ()
    """Departures from the paper's SSD300 by row label, without those that all rows share."""

    curves: tuple[Curve, ...] = ()
    images: tuple[Image, ...] = ()
    pictures: tuple[Image, ...] = ()
    """Pictures of detections; `stage` is the label of the table's row."""

    errors: tuple[Errors, ...] = ()
    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    runs: tuple[RunLink, ...] = ()
    runs_note: str = ""
    """How to make the links work."""

    digest: str = ""
    """Digest of all results that the page shows."""

    waiting: tuple[str, ...] = field(default=())
    """Addresses of stages without a result."""
