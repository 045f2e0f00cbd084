"""The same detections score alike against shards and against the annotation files that the shards were made from."""

import json

import numpy as np
import pyarrow as pa
import pytest

from stages.datasets.coco.coco_folder import CocoFolder
from stages.datasets.voc import VocFolder
from stages.detection.table import SCHEMA
from stages.evaluation import coco_evaluation, voc_evaluation
from stages.evaluation.coco_results import score_result_file
from stages.evaluation.voc_detections import score_files
from stages.shards.shard import Shard

WIDTH, HEIGHT = 100, 80
IMAGES = ("1", "2", "3", "4")


def odd_boxes(rng):
    """Boxes (xmin, ymin, xmax, ymax): sound, swapped, crossing twice, repeated, without area, outside."""
    xmin, ymin = rng.integers(0, 60, 2)
    width, height = rng.integers(8, 40, 2)
    sound = [int(each) for each in (xmin, ymin, xmin + width, ymin + height)]
    left, upper, right, lower = sound
    return [
        sound,
        [right, lower, left, upper],
        [60, 50, WIDTH + 30, HEIGHT + 9],
        [-20, 5, 25, 30],
        sound,
        [30, 30, 30, 50],
        [WIDTH + 10, 5, WIDTH + 40, 30],
    ]


def near(boxes, rng):
    """Detections near the boxes, repaired or not."""
    for box in boxes:
        xs, ys = sorted(box[0::2]), sorted(box[1::2])
        left, upper = (int(each) + int(rng.integers(-4, 5)) for each in (xs[0], ys[0]))
        width, height = (max(int(side) + int(rng.integers(-4, 5)), 1) for side in (xs[1] - xs[0], ys[1] - ys[0]))
        yield round(float(rng.random()), 3), [left, upper, left + width, upper + height]


@pytest.fixture
def odd(voc):
    """Annotated boxes and detections by image, and a VOC folder with the annotations."""
    rng = np.random.default_rng(3)
    annotated = {image: odd_boxes(rng) for image in IMAGES}
    detected = {image: list(near(boxes, rng)) for image, boxes in annotated.items()}
    for image, boxes in annotated.items():
        voc.image(image, WIDTH, HEIGHT)
        voc.annotation(image, *(("cat", *box) for box in boxes), size=(WIDTH, HEIGHT))
    voc.split("test", IMAGES)
    return voc.root, annotated, detected


def table(detected):
    rows = [(image, 0, score, *box) for image, found in detected.items() for score, box in found]
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)


def test_voc(odd, in_process, tmp_path):
    root, _, detected = odd
    stage = Shard(sources=(VocFolder(name="odd", split="test", root=str(root)),))
    stage.run(ctx := in_process(stage))
    lines = [f"{image} {score} {' '.join(map(str, box))}" for image, found in detected.items() for score, box in found]
    (tmp_path / "files").mkdir()
    (tmp_path / "files/det_cat.txt").write_text("\n".join(lines))
    from_files = score_files(tmp_path / "files", str(root), "test").results["cat"]
    assert 0 < from_files.ap_11point < 1
    assert voc_evaluation.mean_ap(table(detected), ctx.out) == from_files.ap_11point
    left_out = ctx.out.read_json("report.json")["boxes_left_out"]
    assert left_out == 2 * len(IMAGES)


def test_coco(odd, in_process, tmp_path):
    root, annotated, detected = odd
    coco = tmp_path / "coco"
    (coco / "annotations").mkdir(parents=True)
    (coco / "images").symlink_to(root / "JPEGImages")
    boxes = [(image, box) for image, boxes in annotated.items() for box in boxes]
    content = {
        "images": [{"id": int(i), "file_name": f"{i}.jpg", "width": WIDTH, "height": HEIGHT} for i in IMAGES],
        "annotations": [
            {"id": n, "image_id": int(image), "category_id": 1, "bbox": xywh(box), "area": 900, "iscrowd": 0}
            for n, (image, box) in enumerate(boxes, start=1)
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    truth, results = coco / "annotations/instances_test.json", tmp_path / "results.json"
    truth.write_text(json.dumps(content))
    found = [
        {"image_id": int(image), "category_id": 1, "bbox": xywh(box), "score": score}
        for image, detections in detected.items()
        for score, box in detections
    ]
    results.write_text(json.dumps(found))
    stage = Shard(sources=(CocoFolder(name="odd", split="test", root=str(coco)),))
    stage.run(ctx := in_process(stage))
    from_files = score_result_file(results, truth).result.numbers["AP"]
    assert 0 < from_files < 1
    assert coco_evaluation.mean_ap(table(detected), ctx.out) == from_files


def xywh(box):
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]
