"""Detections as an archive that a benchmark's server accepts.

The result is the archive, named as in `ARCHIVES`. Its layout is checked by reading it back.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Stage
from stages.submission.benchmarks import ARCHIVES, Benchmark


@dataclass(frozen=True, kw_only=True)
class Submission(Stage):
    """The archive of one detector; refuses a number of images other than the benchmark scores."""

    benchmark: Benchmark
    detections: Stage
    shards: Stage
    proxy: bool = False
    """Allow other images, such as a validation split: for a trial run, not for submission."""

    def run(self, ctx: Context) -> None:
        from stages.submission.archive import archive
        from stages.submission.submitted import from_shards

        submitted = from_shards(ctx.input(self.detections), ctx.input(self.shards))
        ctx.out.write_bytes(ARCHIVES[self.benchmark], archive(submitted, self.benchmark, proxy=self.proxy))
