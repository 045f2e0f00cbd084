"""Commands as data: their options, the graph that they request, and JSON to rebuild it.

Tested in tests/experiments/cli/data/test_shard.py.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

from experiments.cli.requests.bisection import BisectRequest
from experiments.cli.requests.evaluation import EvaluateRequest, OwnProtocolOption, ProtocolName
from experiments.cli.requests.experiment import ExperimentRequest
from experiments.cli.requests.request import Request
from experiments.cli.requests.sharding import ShardRequest
from experiments.cli.requests.submission import SubmissionRequest
from experiments.cli.requests.training import TrainRequest
from experiments.cli.requests.tuning import TuneRequest

__all__ = [
    "BisectRequest",
    "EvaluateRequest",
    "ExperimentRequest",
    "OwnProtocolOption",
    "ProtocolName",
    "Request",
    "ShardRequest",
    "SubmissionRequest",
    "TrainRequest",
    "TuneRequest",
    "request_from",
]

KINDS: tuple[type[Request], ...] = (
    *(ExperimentRequest, TrainRequest, EvaluateRequest, SubmissionRequest, ShardRequest),
    *(BisectRequest, TuneRequest),
)


def request_from(recorded: dict[str, Any]) -> Request:
    """The request that `to_json` recorded; options unknown to this version are ignored.

    Raises PipelineError for an unknown command and for an option whose value is not of its type.
    """
    import msgspec

    from pipeline.errors import PipelineError

    kind = {kind.command: kind for kind in KINDS}.get(str(recorded.get("command", "")))
    if kind is None:
        raise PipelineError(f"a run in the store recorded the command {recorded.get('command')!r}, unknown here")
    hints = get_type_hints(kind)
    given = {item.name: recorded[item.name] for item in fields(kind) if item.name in recorded}
    try:
        return kind(**{name: msgspec.convert(value, hints[name]) for name, value in given.items()})
    except (msgspec.ValidationError, TypeError) as error:
        raise PipelineError(
            f"a run in the store recorded `{kind.command}` with an unreadable option: {error}"
        ) from error
