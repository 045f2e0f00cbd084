"""Stages that time detectors, with modes and rounds suited to the device.

A trained detector is timed with its weights; an untrained one is given as `Network(spec=...)`.

Tested in tests/stages/speed/test_stages.py.
"""

from __future__ import annotations

from pipeline.stage import Stage
from ssd_core.detection.speed_modes import MODES, PLAIN, SpeedMode
from stages.placement import Placement
from stages.speed.network import ON_CPU, ON_GPU, Effort, Network
from stages.speed.stages import CompareSpeed, MeasureSpeed

CPU_MODES = (PLAIN, SpeedMode(channels_last=True))

Tags = tuple[tuple[str, str], ...]


def timed(
    network: Network,
    *,
    test: Stage,
    variant: str,
    tags: Tags = (),
    placement: Placement,
    modes: tuple[SpeedMode, ...] = (),
) -> MeasureSpeed:
    """Stage that measures the speed of one detector on test shards, at batch sizes 1 and 8 as in Table 7."""
    return MeasureSpeed(
        network=network,
        shards=test,
        training=network.weights,
        modes=modes or (MODES if placement.use_gpu else CPU_MODES),
        effort=_effort(placement),
        use_gpu=placement.use_gpu,
        threads=_threads(placement),
        loader_processes=placement.loader_processes,
        variant=variant,
        tags=tags,
    )


def timed_side_by_side(
    networks: tuple[Network, ...], *, test: Stage, variant: str, tags: Tags = (), placement: Placement
) -> CompareSpeed:
    """Stage that times detectors in turns for their ratio: Table 2's last row reports about 20 % slower."""
    return CompareSpeed(
        networks=networks,
        shards=test,
        effort=_effort(placement),
        use_gpu=placement.use_gpu,
        threads=_threads(placement),
        variant=variant,
        tags=tags,
    )


def _effort(placement: Placement) -> Effort:
    return ON_GPU if placement.use_gpu else ON_CPU


def _threads(placement: Placement) -> int:
    return max(1, int(placement.cpus_per_worker))
