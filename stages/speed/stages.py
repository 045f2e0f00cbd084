"""Images per second of detectors on the machine at hand (paper, Table 7; Table 2, "atrous").

The machine is an input like any other: its processor, GPU, driver and torch are part of the key, as seen where the
command runs, so that the speed of one machine is never shown as another's. On a cluster whose GPUs differ from the
driver's, the result names the machine that measured.

The result: `speed.json` (conditions, hardware, every measurement) and `summary.json`. `ssd_core.detection.speed`
defines the protocols and their names; modes that the device does not support are listed in `not_measured` with the
reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.keys.fingerprint import digest
from pipeline.stage import Context, Resources, Stage
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from ssd_core.detection.speed_modes import PLAIN, SpeedMode
from stages.speed.hardware import hardware
from stages.speed.network import ON_GPU, SPEED, Effort, Network

if TYPE_CHECKING:
    from stages.speed.bench import Setting


@dataclass(frozen=True, kw_only=True)
class SpeedStage(Stage):
    """Settings that measuring and comparing share. The machine's load, before and after, shows other activity on it."""

    shards: Stage
    """Images to detect in; repeated from the first if there are too few."""

    batches: tuple[int, ...] = (1, 8)
    effort: Effort = ON_GPU
    use_gpu: bool = False
    """Not an execution field here: the device is what is measured."""

    threads: int = 1
    """Number of CPU threads for the network and for decoding."""

    limits: DetectionLimits = PAPER_LIMITS

    @property
    def resources(self) -> Resources:
        return Resources(cpus=self.threads, gpus=1 if self.use_gpu else 0)

    def external_digest(self) -> str:
        return digest(hardware(use_gpu=self.use_gpu))

    def artifacts(self) -> tuple[str, ...]:
        return (SPEED,)

    def setting(self, ctx: Context) -> Setting:
        """These settings for the code that measures."""
        from stages.speed.bench import Setting

        return Setting(
            shards=ctx.input(self.shards),
            batches=self.batches,
            effort=self.effort,
            use_gpu=self.use_gpu,
            threads=self.threads,
            limits=self.limits,
        )


@dataclass(frozen=True, kw_only=True)
class MeasureSpeed(SpeedStage):
    """Speed of one detector, by all protocols and modes.

    For the first mode: `speed/<protocol>/batch<B>/images_per_second` (also p50_ms and p90_ms per batch),
    `speed/suppression/batch<B>/ms_per_image`, the time that decoding and suppression add, and
    `speed/backbone/batch<B>/share`, the backbone's share of the forward pass. For other modes:
    `speed/<mode>/<protocol>/...`.
    """

    kind = "speed"
    network: Network
    training: Stage | None = None
    """The training whose record these metrics join."""

    modes: tuple[SpeedMode, ...] = (PLAIN,)
    loader_processes: int = 0
    """Processes that read and decode ahead in the end-to-end protocol; with 0, reading and detecting alternate."""

    @property
    def resources(self) -> Resources:
        return Resources(cpus=self.threads + self.loader_processes, gpus=1 if self.use_gpu else 0)

    def tracked_by(self) -> Stage | None:
        return self.training

    def run(self, ctx: Context) -> None:
        from stages.speed.measuring import measure

        measure(self.setting(ctx), self.network, ctx, modes=self.modes, loader_processes=self.loader_processes)


@dataclass(frozen=True, kw_only=True)
class CompareSpeed(SpeedStage):
    """Speed of several detectors measured in turns, with images on the device.

    `speed/<label>/<protocol>/batch<B>/images_per_second`, and `.../of_first`: the speed relative to the first.
    """

    kind = "compare-speed"
    networks: tuple[Network, ...]
    mode: SpeedMode = PLAIN

    def run(self, ctx: Context) -> None:
        from stages.speed.measuring import compare

        compare(self.setting(ctx), self.networks, ctx, mode=self.mode)
