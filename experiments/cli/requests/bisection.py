"""Request of `bisect`: combinations of the settings of two trainings.

Tested in tests/experiments/cli/search/test_bisect.py.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from experiments.cli.requests.request import Request

if TYPE_CHECKING:
    from experiments.framework.search.sides import Pair, Scoring, Side
    from pipeline.stage import Stage
    from stages.graphs import Evaluation
    from stages.placement import Placement


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A stored training: its address, and the request that it was made by."""

    address: str
    request: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A combination: the places of the settings that are taken from B, and its number of seeds."""

    places: tuple[int, ...]
    seeds: int


@dataclass(frozen=True, kw_only=True)
class BisectRequest(Request):
    """`bisect`: trainings between two stored ones."""

    command: ClassVar[str] = "bisect"
    a: Origin
    b: Origin
    chosen: tuple[Chosen, ...] = ()
    own_files: tuple[str, ...] = ()
    """The user's files that define them, if typed; not recorded, since a store names no file to run."""

    gpus_per_training: int = 1
    cpus_per_worker: int | None = None
    in_process: bool = False

    @property
    def name(self) -> str:
        return "bisect"

    def note(self) -> str:
        return f"Trainings between A, {self.a.address}, and B, {self.b.address}."

    def to_json(self) -> dict[str, Any]:
        recorded = super().to_json()
        del recorded["own_files"]
        return recorded

    def placement(self) -> Placement:
        from experiments.cli.shared.placing import place

        return place(
            gpus=self.gpus,
            gpus_per_training=self.gpus_per_training,
            cpus_per_worker=self.cpus_per_worker,
            in_process=self.in_process,
        )

    def pair(self) -> Pair:
        """Both trainings, as the current code makes them. Raises PipelineError if they cannot be compared."""
        from experiments.framework.search.sides import pair_of
        from pipeline.keys.fingerprint import digest, encode

        for each in (self.a, self.b):
            refuse_unnamed_file(each, self.own_files)
        mark = digest([asdict(self.a), asdict(self.b)])[:6]
        return pair_of(_rebuilt(encode(asdict(self.a))), _rebuilt(encode(asdict(self.b))), f"bisect-{mark}")

    def target(self, placement: Placement) -> Stage:
        return self.targets(placement)[0]

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        return tuple(stage for each in self.evaluations(placement).values() for stage in each)

    def evaluations(self, placement: Placement) -> dict[Chosen, list[Evaluation]]:
        """Scores of the chosen combinations, one for each seed."""
        pair = self.pair()
        settings = pair.settings
        return {
            each: [
                pair.evaluation(
                    [settings[place] for place in each.places], label_of(each.places, len(settings)), seed, placement
                )
                for seed in range(each.seeds)
            ]
            for each in self.chosen
        }


@lru_cache(maxsize=4)
def _rebuilt(origin: str) -> tuple[Side, Scoring, str]:
    """A training as its recorded request makes it; cached, since each round of a search needs it."""
    from experiments.cli.requests import request_from
    from experiments.framework.search.sides import side_of
    from pipeline.planning.graph import Graph
    from stages.placement import Placement

    recorded = json.loads(origin)
    return side_of(Graph(request_from(recorded["request"]).targets(Placement())), recorded["address"])


def refuse_unnamed_file(origin: Origin, own_files: Iterable[str]) -> None:
    """Raise PipelineError for a file that only the store names: the store may be another person's."""
    from experiments.framework.loading import names_a_file
    from pipeline.errors import PipelineError

    file = str(origin.request.get("experiment", ""))
    typed = {str(Path(each).expanduser().resolve()) for each in own_files}
    if names_a_file(file) and file not in typed:
        raise PipelineError(
            f"{origin.address} was trained by the file {file}. A file that a store names is not executed: if you "
            f"trust it, add --own-file {shlex.quote(file)}"
        )


def label_of(places: tuple[int, ...], count: int) -> str:
    """Short name of a combination, with the settings numbered from 1: A, B, or A+2+3."""
    if len(places) == count:
        return "B"
    return "+".join(["A", *(str(place + 1) for place in sorted(places))])
