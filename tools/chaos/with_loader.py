"""`ssdpipe` with one loader process per training, which the command line only gives trainings on GPUs."""

from __future__ import annotations

from dataclasses import replace

from experiments.cli.main import main
from experiments.cli.requests import TrainRequest
from stages.placement import Placement

_placement = TrainRequest.placement


def _with_loader(self: TrainRequest) -> Placement:
    return replace(_placement(self), loader_processes=1)


if __name__ == "__main__":
    TrainRequest.placement = _with_loader  # type: ignore[method-assign]
    main()
