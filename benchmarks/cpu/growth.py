"""Cost per image and memory of each step from 1,000 to 100,000 images, and of 2,000 stages in process and on Ray.

Each step runs in a process of its own (growth_jobs.py), without Ray. The images are 250 drawn pictures, 96 to 128
pixels wide, under other names (hard links): measured is the growth, not the cost of a photograph. A very small detector
detects; evaluated are 50 to 200 random detections an image. "CPU, of the first" divides the CPU time of an image by
that at the fewest images; "kB for each further image" is the growth of the allocated memory since the number of images
before. The resident memory counts mapped shards as well, which the system takes back at need.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from gpu.record import Options, Record

from pipeline.execution.run_stage import StageContext
from pipeline.folder import Folder
from stages.drawn.draw import Draw

PICTURES = 250
STEPS = ("sharding", "reads", "detection", "VOC", "COCO")
IMAGES = (1_000, 10_000, 100_000)
STAGES = 2_000
PATH = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parents[2])])


def measure(options: Options) -> dict[str, Any]:
    """Measure the fewest images first; larger numbers while there is time."""
    record = Record("growth", options)
    with tempfile.TemporaryDirectory(dir=options.data if options.data.is_dir() else None) as name:
        place = Path(name)
        os.environ["SSDPIPE_CACHE"] = str(place / "cache")
        pictures = drawn(place, 10 if options.small else PICTURES)
        for images in (20, 64) if options.small else IMAGES:
            listed(pictures, place / f"list-{images}", images)
            _steps(record, place, images)
    _stages(record, 20 if options.small else STAGES)
    return record.content


def _steps(record: Record, place: Path, images: int) -> None:
    for step in STEPS:
        known = record.content.get(step, {})
        expected = max((images * row["ms each"] / 1e3 for row in known.values()), default=0)
        if record.has_time(step, f"{images:,} images", 1.2 * expected):
            if step == "VOC":
                _job("scattered", images, place)
            record.put(step, f"{images:,} images", _row(images, _job(step, images, place), list(known.values())))


def _row(images: int, used: dict[str, float], before: list[dict[str, float]]) -> dict[str, float]:
    row = {
        "images": images,
        "ms each": 1e3 * used["seconds"] / images,
        "CPU ms each": 1e3 * used["CPU seconds"] / images,
        "allocated MB": used["allocated MB"],
        "resident MB": used["resident MB"],
    }
    if before:
        row["CPU, of the first"] = row["CPU ms each"] / before[0]["CPU ms each"]
        grown = row["allocated MB"] - before[-1]["allocated MB"]
        row["kB for each further image"] = 1024 * grown / (images - before[-1]["images"])
    return {name: round(value, 4) for name, value in row.items()}


def _job(step: str, images: int, place: Path) -> dict[str, float]:
    return _printed("from cpu.growth_jobs import main; main()", step, str(images), str(place))


def _stages(record: Record, count: int) -> None:
    run = "from cpu.growth_stages import main; main()"
    for where in ("inline",) if record.options.small else ("inline", "ray"):
        for shape in ("side by side", "chains"):
            record.put(f"{count:,} stages, {where}", shape, _printed(run, shape, str(count), where))


def _printed(code: str, *arguments: str) -> dict[str, float]:
    """Run code in a process of its own, among the benchmarks; return what it prints last, as JSON."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": PATH}, check=True, capture_output=True, text=True)
    used: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return used


def drawn(place: Path, pictures: int) -> Path:
    """Draw pictures; return their folder, in VOC layout."""
    stage, out = Draw(train=pictures, test=0, sides=(96, 128)), Folder(str(place / "data"))
    stage.run(StageContext(key="drawn", stage=stage, inputs={}, out=out, work=Folder(str(place / "work"))))
    return Path(out.path)


def listed(pictures: Path, folder: Path, images: int) -> None:
    """Lay out the pictures under as many names as wanted."""
    ids = (pictures / "ImageSets/Main/train.txt").read_text(encoding="utf-8").split()
    names = [f"{number:07d}" for number in range(images)]
    for part, suffix in (("JPEGImages", "jpg"), ("Annotations", "xml")):
        (folder / part).mkdir(parents=True)
        for number, name in enumerate(names):
            os.link(pictures / part / f"{ids[number % len(ids)]}.{suffix}", folder / part / f"{name}.{suffix}")
    (folder / "ImageSets/Main").mkdir(parents=True)
    (folder / "ImageSets/Main/train.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
