"""Files of detections, scored by `ssdpipe evaluate detections`."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from experiments.cli.evaluate import detections
from tests.fuzz.judgement import quiet
from tests.fuzz.of_data_sets import pictures
from tests.fuzz.target import Case
from tests.stages.datasets.random_sets import CLASSES, WRITERS, put

SETS = 8
SPLITS = {"voc07": "train", "coco": ""}
"""The split to score by protocol; annotations of COCO have none."""


def devkit(odd: Random, place: Path) -> Sequence[Case]:
    """The devkit's text files beside a set in VOC layout."""
    found = []
    for number in range(SETS):
        root, drawn = place / f"devkit{number}", pictures(odd)
        WRITERS["voc"](root / "set", drawn, odd)
        for name in CLASSES:
            lines = [
                f"{picture.stem} {odd.random():.6f} {' '.join(map(str, thing.box))}"
                for picture in drawn
                for thing in picture.things
                if thing.name == name
            ]
            put(root / f"found/comp4_det_test_{name}.txt", "".join(f"{line}\n" for line in lines))
        used = {thing.name for picture in drawn for thing in picture.things}
        for file in sorted((root / "found").iterdir()):
            if file.stem.removeprefix("comp4_det_test_") in used:
                found.append(_case(file, root / "found", root / "set", "voc07"))
    return found


def coco_results(odd: Random, place: Path) -> Sequence[Case]:
    """COCO's list of results beside a file of annotations."""
    return [_case(results, results, truth, "coco") for results, truth in _coco(odd, place)]


def coco_truth(odd: Random, place: Path) -> Sequence[Case]:
    """COCO's annotations, which results are scored against."""
    return [_case(truth, results, truth, "coco") for results, truth in _coco(odd, place)]


def _coco(odd: Random, place: Path) -> list[tuple[Path, Path]]:
    found = []
    for number in range(SETS):
        root, drawn = place / f"coco{number}", pictures(odd)
        images = [{"id": at, "file_name": f"{picture.stem}.jpg"} for at, picture in enumerate(drawn)]
        listed = [(at, thing) for at, picture in enumerate(drawn) for thing in picture.things]
        objects = [
            {"image_id": at, "category_id": 10 + CLASSES.index(thing.name), "bbox": _xywh(thing.box)}
            for at, thing in listed
        ]
        annotations = [{**each, "id": at + 1, "iscrowd": 0, "area": 9} for at, each in enumerate(objects)]
        categories = [{"id": 10 + at, "name": name} for at, name in enumerate(CLASSES)]
        truth = {"images": images, "annotations": annotations, "categories": categories}
        put(root / "truth.json", json.dumps(truth))
        put(root / "found.json", json.dumps([{**each, "score": round(odd.random(), 6)} for each in objects]))
        found.append((root / "found.json", root / "truth.json"))
    return found


def _xywh(box: tuple[int, int, int, int]) -> list[int]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def _case(file: Path, found: Path, truth: Path, protocol: Any) -> Case:
    return Case(content=file.read_bytes(), read=partial(_scored, file, file.read_bytes(), found, truth, protocol))


def _scored(file: Path, sound: bytes, found: Path, truth: Path, protocol: Any, content: bytes) -> Any:
    file.write_bytes(content)
    try:
        with quiet() as printed, contextlib.redirect_stderr(io.StringIO()):
            detections(found, str(truth), split=SPLITS[protocol], protocol=protocol, as_json=True)
        return json.loads(printed.getvalue())
    finally:
        file.write_bytes(sound)
