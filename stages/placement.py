"""Where the stages of a graph run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Never part of a key."""

    workers: int = 1
    """Processes of one training: its GPUs, or CPU workers."""

    use_gpu: bool = False
    cpus_per_worker: float = 1
    loader_processes: int = 0
    detection_workers: int = 1
