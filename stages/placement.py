"""Where the stages of a graph run, and on how many processes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Values of execution fields: never part of a key."""

    workers: int = 1
    """Number of processes of one training: one per GPU, or CPU workers; 0 trains in the process of the stage."""

    min_workers: int = 0
    """With how many of them a training can do; 0 requires all."""

    use_gpu: bool = False
    cpus_per_worker: float = 1
    loader_processes: int = 0
    detection_workers: int = 1

    wait_seconds: float = 600.0
    """How long a training waits for lost nodes."""
