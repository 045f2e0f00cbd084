"""Submissions to benchmarks whose test annotations are not public: from a weights file or from existing detections
(`ssdpipe submission`), and from the runs of an experiment.

Tested in tests/experiments/cli/test_submission.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiments.framework.data_mixes import data_root
from experiments.framework.experiment import Row
from experiments.framework.presets import Preset
from pipeline.stage import Stage
from stages.datasets.coco.coco_folder import CocoFolder
from stages.datasets.published import remedy
from stages.datasets.source import Source
from stages.datasets.voc import VocFolder
from stages.graphs import detected
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.submission.benchmarks import CLASSES, Benchmark
from stages.submission.submission import Submission
from stages.training.initial import WeightsFile

SPLITS: dict[Benchmark, str] = {"voc2012": "test", "coco-testdev": "test-dev2015"}


def images_of(benchmark: Benchmark, root: str, split: str, *, proxy: bool) -> Source:
    """Images of the benchmark below a folder; an empty `split` means the official list.

    VOC2012 is located by its folder name; the folder of a proxy may have any name.
    """
    chosen = split or SPLITS[benchmark]
    if benchmark == "voc2012":
        folder = "" if proxy else "VOC2012"
        fix = remedy("voc2012")
        return VocFolder(name="voc2012", root=root, folder=folder, split=chosen, annotated=False, remedy=fix)
    return CocoFolder(name="coco", root=root, split=chosen)


def submission_of(
    weights: str,
    benchmark: Benchmark,
    *,
    root: str,
    split: str,
    proxy: bool,
    allow_trained_images: bool = False,
    placement: Placement,
) -> Submission:
    """Shard the images, detect, and pack the archive."""
    return _submitted(
        WeightsFile(path=weights, variant=Path(weights).stem),
        benchmark,
        images_of(benchmark, root, split, proxy=proxy),
        proxy=proxy,
        allow_trained_images=allow_trained_images,
        placement=placement,
    )


def submissions(rows: Sequence[Row], preset: Preset) -> tuple[Submission, ...]:
    """One archive for each run of the rows that only the server can score, from the first seed."""
    runs = dict.fromkeys(row.run for row in rows if row.run and not preset.setup(row.run).test)
    images = images_of("voc2012", data_root(), "", proxy=False)
    return tuple(
        _submitted(
            preset.setup(run).training(),
            "voc2012",
            images,
            proxy=False,
            allow_trained_images=preset.setup(run).allow_trained_images,
            placement=preset.placement,
        )
        for run in runs
    )


def _submitted(
    weights: Stage,
    benchmark: Benchmark,
    images: Source,
    *,
    proxy: bool,
    allow_trained_images: bool,
    placement: Placement,
) -> Submission:
    shards = Shard(sources=(images,), classes=tuple(CLASSES[benchmark]), variant=f"{images.name}-{images.split}")
    variant = f"{weights.variant}/{shards.variant}"
    detections = detected(
        weights,
        shards=shards,
        variant=variant,
        placement=placement,
        allow_trained_images=allow_trained_images,
    )
    return Submission(benchmark=benchmark, detections=detections, shards=shards, proxy=proxy, variant=variant)


def archive_of_files(detections: Path, benchmark: Benchmark, *, root: str, split: str, proxy: bool) -> bytes:
    """Pack detections written by any program into an archive."""
    from stages.submission.archive import archive
    from stages.submission.input import from_files

    detected = from_files(detections, images_of(benchmark, root, split, proxy=proxy), CLASSES[benchmark])
    return archive(detected, benchmark, proxy=proxy)
