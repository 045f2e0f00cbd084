"""CPU time, wall time and memory of `ssdpipe plan`, each in its own process: medians over --times runs.

    python benchmarks/planning.py [--times 5] [--filled] [--coco-megabytes 450]

It plans every experiment of the paper at preset tiny on an empty store; with --filled, an ablation with half of its
stages cached (they are run first, with four iterations each); a data set of VOC2007's size, 9,963 images, for the first
time and again; with --coco-megabytes, the same on a JSON of that size. Data sets are synthetic, in a folder that is
removed afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

SSDPIPE = (sys.executable, "-c", "from experiments.cli.main import main; main()")
ABLATION = ("ablation-layers", "--preset", "tiny", "-s", "schedule.iterations=4")
ON_DATA = ("ablation-layers", "--preset", "narrow", "--column", "yes", "--gpus", "0", "--data")
VOC_TRAINVAL, VOC_TEST = 5_011, 4_952
COCO_IMAGE_BYTES = 3_800
"""Approximate bytes per image with its annotations in instances_train2017.json."""

CLASSES = ("aeroplane", "bicycle", "bird", "boat", "bottle")


class Cost(NamedTuple):
    cpu_seconds: float
    seconds: float
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--filled", action="store_true", help="run six small trainings first; takes minutes")
    parser.add_argument("--coco-megabytes", type=int, default=0)
    arguments = parser.parse_args()
    print(f"{_machine()}; CPU seconds (user and system), wall seconds, peak MB")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ["SSDPIPE_CACHE"] = str(place / "cache")
        _show(
            "all, preset tiny, empty store", [_plan(place, "all", "--preset", "tiny") for _ in range(arguments.times)]
        )
        if arguments.filled:
            subprocess.run([*SSDPIPE, "run", *ABLATION, "--column", "yes"], cwd=place, check=True, capture_output=True)
            _show("ablation-layers, half of it cached", [_plan(place, *ABLATION) for _ in range(arguments.times)])
        _on_data(_voc(place / "voc"), "9,963 images in VOC layout", arguments.times)
        if arguments.coco_megabytes:
            data = _coco(place / "coco", arguments.coco_megabytes)
            _on_data(data, f"COCO JSON of {arguments.coco_megabytes} MB", arguments.times)


def _on_data(data: Path, name: str, times: int) -> None:
    time.sleep(3)  # very recent changes of files are not trusted by the cache
    _show(f"{name}, first", [_plan(data.parent, *ON_DATA, str(data))])
    _show(f"{name}, again", [_plan(data.parent, *ON_DATA, str(data)) for _ in range(times)])


def _plan(where: Path, *arguments: str) -> Cost:
    began = time.perf_counter()
    process = subprocess.Popen([*SSDPIPE, "plan", *arguments], cwd=where, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"plan {arguments} ended with {process.returncode}"
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss / 1024)


def _show(name: str, costs: Sequence[Cost]) -> None:
    cpu, wall, memory = (median(values) for values in zip(*costs, strict=True))
    print(f"{name:38} {cpu:8.2f} s CPU {wall:8.2f} s {memory:7.0f} MB   ({len(costs)} times)", flush=True)


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


def _machine() -> str:
    version = sys.version.split()[0]
    return f"{_processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {version}"


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "CPU")


if __name__ == "__main__":
    main()
