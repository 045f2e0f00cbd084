"""Options of `run --until-decided`, and how far it is, as part of a recorded request.

Tested in tests/experiments/cli/claims/test_until_decided.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from experiments.framework.claims.claim import At

MOST_SEEDS = 12


@dataclass(frozen=True, kw_only=True)
class RowSeeds:
    experiment: str
    """Its name, or that of a user's file without folder and suffix."""

    row: str
    column: str
    seeds: int


@dataclass(frozen=True, kw_only=True)
class UntilDecided:
    """A run that adds seeds until its claims are decided: its limit, and how far it is."""

    max_seeds: int
    rows: tuple[RowSeeds, ...] = ()

    def of(self, experiment: str) -> dict[At, int]:
        """Number of seeds of each row that has claims, for an experiment's name or the path of a user's file."""
        from experiments.framework.claims.claim import At

        name = _name(experiment)
        return {At(each.row, each.column): each.seeds for each in self.rows if each.experiment == name}


def seeds_by_row(seeds: Mapping[tuple[str, At], int]) -> tuple[RowSeeds, ...]:
    ordered = sorted((_name(experiment), at.row, at.column, number) for (experiment, at), number in seeds.items())
    return tuple(RowSeeds(experiment=name, row=row, column=column, seeds=n) for name, row, column, n in ordered)


def _name(experiment: str) -> str:
    return Path(experiment).stem


@dataclass(frozen=True, kw_only=True)
class UntilDecidedOptions:
    """Seeds by need instead of a fixed number."""

    until_decided: Annotated[
        bool, typer.Option("--until-decided", help="Add seeds to the rows of undecided claims until they are decided.")
    ] = False
    max_seeds: Annotated[
        int | None,
        typer.Option(min=2, help=f"Most seeds of a row with --until-decided; {MOST_SEEDS} by default."),
    ] = None

    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Time for --until-decided, such as 12h: no step that would exceed it.")
    ] = ""

    def limit(self, seeds: int) -> UntilDecided | None:
        """None without --until-decided; `seeds` is --seeds.

        Raises PipelineError for the other options without it, and for fewer seeds at most than at first.
        """
        from pipeline.errors import PipelineError

        if self.max_seeds is not None and not self.until_decided:
            raise PipelineError("--max-seeds belongs to --until-decided; a fixed number of seeds is --seeds N")
        if self.budget and not self.until_decided:
            raise PipelineError("--budget belongs to --until-decided")
        most = self.max_seeds or MOST_SEEDS
        if self.until_decided and most < seeds:
            raise PipelineError(f"--max-seeds {most} is less than --seeds {seeds}")
        return UntilDecided(max_seeds=most) if self.until_decided else None
