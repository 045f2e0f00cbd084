"""CPU time, wall time and memory of `ssdpipe plan`, each in its own process.

Planned are every experiment of the paper at preset tiny on an empty store; an ablation with half of its stages cached,
which are run first with four iterations each; a data set of VOC2007's size, 9,963 images, for the first time and again;
and a COCO JSON of 450 MB. Data sets are synthetic.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from gpu.record import Options, Record

SSDPIPE = (sys.executable, "-c", "from experiments.cli.main import main; main()")
ABLATION = ("ablation-layers", "--preset", "tiny", "-s", "schedule.iterations=4")
ON_DATA = ("ablation-layers", "--preset", "narrow", "--column", "yes", "--gpus", "0", "--data")
VOC_TRAINVAL, VOC_TEST = 5_011, 4_952
COCO_IMAGE_BYTES, COCO_MEGABYTES = 3_800, 450
"""Approximate bytes per image with its annotations in instances_train2017.json, and of the whole file."""

USAGE = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""
"""Runs a command and prints its usage. A process inherits its parent's peak of memory, so the parent is small."""

CLASSES = ("aeroplane", "bicycle", "bird", "boat", "bottle")


class Cost(NamedTuple):
    cpu_seconds: float
    seconds: float
    megabytes: float


def measure(options: Options) -> dict[str, Any]:
    """Measure each plan five times, those that can only be the first once."""
    record, times = Record("planning", options), 1 if options.small else 5
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ["SSDPIPE_CACHE"] = str(place / "cache")
        record.put("plan", "all, preset tiny, empty store", _repeated(times, place, "all", "--preset", "tiny"))
        if not options.small:
            subprocess.run([*SSDPIPE, "run", *ABLATION, "--column", "yes"], cwd=place, check=True, capture_output=True)
            record.put("plan", "ablation-layers, half of it cached", _repeated(times, place, *ABLATION))
            _on_data(record, _voc(place / "voc"), "9,963 images in VOC layout", times)
            _on_data(record, _coco(place / "coco", COCO_MEGABYTES), f"COCO JSON of {COCO_MEGABYTES} MB", times)
    return record.content


def _on_data(record: Record, data: Path, name: str, times: int) -> None:
    time.sleep(3)  # very recent changes of files are not trusted by the cache
    record.put("plan", f"{name}, first", _repeated(1, data.parent, *ON_DATA, str(data)))
    record.put("plan", f"{name}, again", _repeated(times, data.parent, *ON_DATA, str(data)))


def _repeated(times: int, where: Path, *arguments: str) -> dict[str, float]:
    """Return the medians over some plans."""
    costs: Sequence[Cost] = [_plan(where, *arguments) for _ in range(times)]
    return {name: median(values) for name, *values in zip(Cost._fields, *costs, strict=True)} | {"times": times}


def _plan(where: Path, *arguments: str) -> Cost:
    began = time.perf_counter()
    command = [sys.executable, "-c", USAGE, *SSDPIPE, "plan", *arguments]
    done = subprocess.run(command, cwd=where, check=True, capture_output=True, text=True)
    cpu_seconds, kilobytes = json.loads(done.stdout.splitlines()[-1])
    return Cost(cpu_seconds, time.perf_counter() - began, kilobytes / 1024)


def _voc(folder: Path) -> Path:
    ids = [f"{number:06d}" for number in range(1, VOC_TRAINVAL + VOC_TEST + 1)]
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    for number, image_id in enumerate(ids):
        (folder / f"Annotations/{image_id}.xml").write_text(_xml(number), encoding="utf-8")
        (folder / f"JPEGImages/{image_id}.jpg").write_bytes(bytes(number))  # sizes differ, as of photographs
    for split, listed in (("trainval", ids[:VOC_TRAINVAL]), ("test", ids[VOC_TRAINVAL:])):
        (folder / f"ImageSets/Main/{split}.txt").write_text(
            "".join(f"{image_id}\n" for image_id in listed), encoding="utf-8"
        )
    return folder


def _xml(number: int) -> str:
    """An annotation with two or three objects, the average in VOC2007."""
    objects = "".join(
        f"<object><name>{CLASSES[(number + each) % len(CLASSES)]}</name><pose>Unspecified</pose>"
        f"<truncated>0</truncated><difficult>0</difficult><bndbox><xmin>{each + 1}</xmin><ymin>5</ymin>"
        f"<xmax>{each + 90}</xmax><ymax>99</ymax></bndbox></object>"
        for each in range(2 + number % 2)
    )
    return f"<annotation><size><width>500</width><height>375</height><depth>3</depth></size>{objects}</annotation>"


def _coco(folder: Path, megabytes: int) -> Path:
    for part in ("annotations", "train2017", "val2017"):
        (folder / part).mkdir(parents=True)
    for split, images in (("train2017", megabytes * 1_000_000 // COCO_IMAGE_BYTES), ("val2017", 5_000)):
        for number in range(images):
            (folder / split / f"{number:012d}.jpg").touch()
        with open(folder / f"annotations/instances_{split}.json", "w", encoding="utf-8") as file:
            file.writelines(_instances(images))
    return folder


def _instances(images: int) -> Iterator[str]:
    """Yield a COCO JSON with seven objects per image, each with an outline of 35 vertices."""
    categories = [{"id": each, "name": name} for each, name in enumerate(CLASSES)]
    yield f'{{"categories": {json.dumps(categories)}, "images": ['
    for number in range(images):
        entry = {"id": number, "file_name": f"{number:012d}.jpg", "width": 640, "height": 480}
        yield ("," if number else "") + json.dumps(entry)
    yield '], "annotations": ['
    outline = [[round(100 + each * 1.37, 2) for each in range(70)]]
    for number in range(7 * images):
        box = {"id": number, "image_id": number // 7, "category_id": number % 5, "bbox": [1.5, 2.5, 90.25, 80.75]}
        entry = {"segmentation": outline, "area": 702.1057, "iscrowd": 0, **box}
        yield ("," if number else "") + json.dumps(entry)
    yield "]}"
