"""The files of a submission, as the VOC devkit and the COCO server read them.

VOC2012     a tar.gz of results/VOC2012/Main/comp4_det_test_<class>.txt, one line `id score xmin ymin xmax ymax` per
            detection; boxes in VOC's frame, whose first pixel is 1, as the detector predicted them
test-dev    a zip of one JSON list of {"image_id", "category_id": 1 to 90, "bbox": [x, y, width, height], "score"};
            the server counts the best 100 detections per class and image, so none are dropped here

Boxes are clipped to their image and written with two decimals.

Tested in tests/stages/submission/test_submission.py.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.errors import PipelineError
from ssd_core.spec.vocabularies import COCO_CATEGORIES
from stages.submission.benchmarks import ARCHIVES, CLASSES, IMAGES, Benchmark
from stages.submission.submitted import Submitted


def archive(submitted: Submitted, benchmark: Benchmark, *, proxy: bool = False) -> bytes:
    """Build the archive, read it back and check it; equal detections give equal bytes.

    Raises PipelineError if the classes are not the benchmark's or, unless it is a `proxy`, the number of images differs
    from the benchmark's.
    """
    if set(submitted.classes) != set(CLASSES[benchmark]):
        raise PipelineError(
            f"{benchmark} has the {len(CLASSES[benchmark])} classes {', '.join(CLASSES[benchmark])}; "
            f"the detections have {len(submitted.classes)}: {', '.join(submitted.classes)}"
        )
    if (images := len(submitted.image_ids)) != IMAGES[benchmark] and not proxy:
        raise PipelineError(
            f"{benchmark} scores exactly {IMAGES[benchmark]:,} images, but there are {images:,}. "
            "Name the official list of images; for a trial run on other images, add --proxy"
        )
    content = voc_archive(submitted) if benchmark == "voc2012" else coco_archive(submitted)
    lines = check_voc(content, submitted.image_ids) if benchmark == "voc2012" else check_coco(content)
    assert lines == len(submitted.detections.scores), f"{lines} lines of {len(submitted.detections.scores)} detections"
    return content


def voc_archive(submitted: Submitted) -> bytes:
    """Build the tar.gz for VOC2012; a class without detections gets an empty file."""
    boxes = _clipped(submitted, first_pixel=1)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as squeezed, tarfile.open(fileobj=squeezed, mode="w") as tar:
        for name in CLASSES["voc2012"]:
            text = _voc_text(submitted, boxes, submitted.classes.index(name)).encode()
            member = tarfile.TarInfo(_voc_file(name))
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return packed.getvalue()


def coco_archive(submitted: Submitted) -> bytes:
    """Build the zip for COCO test-dev."""
    text = json.dumps(coco_results(submitted), separators=(",", ":"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(zipfile.ZipInfo(_coco_file()), text, compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def coco_results(submitted: Submitted) -> list[dict[str, Any]]:
    """Detections in COCO's result format. Raises PipelineError for an image whose id is not a number."""
    if wrong := [image_id for image_id in submitted.image_ids if not image_id.isdecimal()]:
        raise PipelineError(f"image ids of COCO are numbers, but {len(wrong)} here are not, such as {wrong[0]!r}")
    detections, boxes = submitted.detections, _clipped(submitted, first_pixel=0)
    sides = np.round(boxes[:, 2:] - boxes[:, :2], 2)
    categories = [CLASSES["coco-testdev"][name] for name in submitted.classes]
    return [
        {
            "image_id": int(submitted.image_ids[image]),
            "category_id": categories[label],
            "bbox": [x, y, width, height],
            "score": round(score, 6),
        }
        for image, label, (x, y), (width, height), score in zip(
            detections.images.tolist(),
            detections.labels.tolist(),
            boxes[:, :2].tolist(),
            sides.tolist(),
            detections.scores.tolist(),
            strict=True,
        )
    ]


def check_voc(content: bytes, image_ids: Sequence[str]) -> int:
    """Count the lines of a VOC2012 archive. Raises PipelineError if its layout is wrong or an image is not listed."""
    listed, lines = set(image_ids), 0
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        names = sorted(tar.getnames())
        if names != sorted(map(_voc_file, CLASSES["voc2012"])):
            raise PipelineError(f"the archive needs the 20 files {_voc_file('<class>')}, but holds {', '.join(names)}")
        for member in tar.getmembers():
            text = tar.extractfile(member)
            for line in text.read().decode().splitlines() if text else ():
                fields = line.split(" ")
                if len(fields) != 6 or fields[0] not in listed:
                    raise PipelineError(f"{member.name}: {line!r} is not a detection on a listed image")
                lines += 1
    return lines


def check_coco(content: bytes) -> int:
    """Count the entries of a COCO archive. Raises PipelineError if its layout is wrong."""
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        if zipped.namelist() != [_coco_file()]:
            raise PipelineError(f"the archive needs the one file {_coco_file()}, but holds {zipped.namelist()}")
        entries = json.loads(zipped.read(_coco_file()))
    if wrong := [entry for entry in entries if entry["category_id"] not in COCO_CATEGORIES]:
        raise PipelineError(f"{len(wrong)} entries have a category id that COCO does not have, such as {wrong[0]}")
    return len(entries)


def _voc_file(name: str) -> str:
    return f"results/VOC2012/Main/comp4_det_test_{name}.txt"


def _coco_file() -> str:
    return PurePosixPath(ARCHIVES["coco-testdev"]).with_suffix(".json").name


def _voc_text(submitted: Submitted, boxes_xyxy: Float[ndarray, "N 4"], label: int) -> str:
    """The lines of one class."""
    detections = submitted.detections
    chosen = detections.labels == label
    columns = zip(
        *(values[chosen].tolist() for values in (detections.images, detections.scores, boxes_xyxy)), strict=True
    )
    return "".join(
        f"{submitted.image_ids[image]} {score:.6f} {' '.join(f'{corner:.2f}' for corner in corners)}\n"
        for image, score, corners in columns
    )


def _clipped(submitted: Submitted, *, first_pixel: int) -> Float[ndarray, "N 4"]:
    """Boxes clipped to their images, from `first_pixel` to the width and height."""
    sizes = np.array(submitted.sizes, dtype=np.float64).reshape(-1, 2)[submitted.detections.images]
    boxes: Float[ndarray, "N 4"] = np.clip(
        submitted.detections.boxes_xyxy.astype(np.float64), first_pixel, np.tile(sizes, (1, 2))
    )
    return np.round(boxes, 2)
