"""Random data sets, written in each layout with the harmless oddities of practitioners' tools, and read back."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from hypothesis import strategies as st

from ssd_core.spec.ilsvrc_vocabulary import ILSVRC_SYNSETS
from stages.datasets.defects import Defect
from stages.datasets.find import find_data_set
from stages.shards.image_row import read_image

CLASSES = ("cat", "dog", "traffic light", "Käse")
SIZE = 64, 48


@dataclass(frozen=True)
class Thing:
    """An annotated object; the box is (xmin, ymin, xmax, ymax) in whole pixels inside the image."""

    name: str
    box: tuple[int, int, int, int]
    difficult: bool = False


@dataclass(frozen=True)
class Picture:
    stem: str
    things: tuple[Thing, ...]


@st.composite
def boxes(draw: st.DrawFn) -> tuple[int, int, int, int]:
    xmin, ymin = draw(st.integers(0, SIZE[0] - 2)), draw(st.integers(0, SIZE[1] - 2))
    return xmin, ymin, draw(st.integers(xmin + 1, SIZE[0])), draw(st.integers(ymin + 1, SIZE[1]))


things = st.builds(Thing, name=st.sampled_from(CLASSES), box=boxes(), difficult=st.booleans())
stems = st.sampled_from(["a", "b", "000007", "img (1)", "with.dot", "2007_000032", "photo-é"])


@st.composite
def data_sets(draw: st.DrawFn) -> list[Picture]:
    """One to five images; the first has an object, since a data set without any is refused."""
    names = draw(st.lists(stems, min_size=1, max_size=5, unique=True))
    objects = [
        draw(st.lists(things, max_size=4, min_size=int(not place), unique_by=lambda thing: (thing.name, thing.box)))
        for place, _ in enumerate(names)
    ]
    return [Picture(name, tuple(held)) for name, held in zip(names, objects, strict=True)]


@lru_cache
def encoded(suffix: str) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    return cv2.imencode(suffix, noise)[1].tobytes()


def put(file: Path, content: bytes | str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def put_image(file: Path) -> None:
    put(file, encoded(file.suffix.lower()))


def blanks(odd: random.Random, value: object) -> str:
    return odd.choice(["{}", " {}", "{} ", "\t{}\t"]).format(value)


def text_bytes(odd: random.Random, text: str) -> bytes:
    """Encode a list or table as some editor would, with either line ending."""
    text = text.replace("\n", odd.choice(["\n", "\r\n"]))
    return text.encode(odd.choice(["utf-8", "utf-8-sig", "utf-16"]))


def listed_name(odd: random.Random, stem: str) -> str:
    return odd.choice(["{}", "{}.jpg", "./{}.jpg", "JPEGImages/{}.jpg", "JPEGImages\\{}.jpg", "{} "]).format(stem)


def voc_object(odd: random.Random, thing: Thing) -> str:
    corners = [f"<{tag}>{blanks(odd, value)}</{tag}>" for tag, value in zip(CORNERS, thing.box, strict=True)]
    odd.shuffle(corners)
    on, off = odd.choice([("1", "0"), ("true", "False"), (" 1 ", "")])
    parts = [f"<name>{blanks(odd, thing.name)}</name>", f"<bndbox>{''.join(corners)}</bndbox>"]
    if thing.difficult or odd.random() < 0.5:
        parts.append(f"<difficult>{on if thing.difficult else off}</difficult>")
    parts += odd.choice([[], ["<pose>Left</pose>", "<truncated>1</truncated>", "<occluded>0</occluded>"]])
    odd.shuffle(parts)
    return f"<object>{''.join(parts)}</object>"


CORNERS = ("xmin", "ymin", "xmax", "ymax")


def write_voc(root: Path, pictures: list[Picture], odd: random.Random) -> None:
    lines = [listed_name(odd, picture.stem) for picture in pictures]
    put(root / "ImageSets/Main/train.txt", text_bytes(odd, "\n".join(lines) + odd.choice(["", "\n", "\n\n"])))
    for picture in pictures:
        put_image(root / f"JPEGImages/{picture.stem}.jpg")
        size = f"<size><width>{SIZE[0]}</width><height>{SIZE[1]}</height><depth>3</depth></size>"
        parts = [*odd.choice([[size], []]), *(voc_object(odd, thing) for thing in picture.things)]
        body = f"<annotation>{''.join(parts)}</annotation>"
        declared = odd.choice(["utf-8", "utf-16", "iso-8859-1", ""])
        head = f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else ""
        put(root / f"Annotations/{picture.stem}.xml", (head + body).encode(declared or "utf-8-sig"))


def write_coco(root: Path, pictures: list[Picture], odd: random.Random) -> None:
    of_type: Callable[[int], object] = odd.choice([int, float, str])
    folder = odd.choice(["", "./", "images/train/", "train/", "deep\\er\\"])
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number, picture in enumerate(pictures):
        put_image(
            root / "images/train" / (f"deep/er/{picture.stem}.jpg" if "deep" in folder else f"{picture.stem}.jpg")
        )
        entry = {"id": of_type(number), "file_name": f"{folder}{picture.stem}.jpg"}
        images.append(entry | odd.choice([{}, {"width": SIZE[0], "height": SIZE[1]}, {"license": 1, "coco_url": ""}]))
        for thing in picture.things:
            xmin, ymin, xmax, ymax = thing.box
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": of_type(number),
                    "category_id": of_type(10 + CLASSES.index(thing.name)),
                    "bbox": [xmin, ymin, float(xmax - xmin), ymax - ymin],
                }
                | odd.choice([{}, {"iscrowd": 0}, {"iscrowd": "0"}, {"iscrowd": None, "segmentation": []}])
            )
    odd.shuffle(annotations)
    categories = [{"id": 10 + number, "name": name} for number, name in enumerate(CLASSES)]
    whole = {"images": images, "annotations": annotations, "categories": categories, "info": {}}
    name = odd.choice(["annotations/instances_train.json", "annotations/train.json"])
    text = json.dumps(dict(odd.sample(list(whole.items()), len(whole))), ensure_ascii=odd.random() < 0.5)
    put(root / name, text.encode(odd.choice(["utf-8", "utf-8-sig", "utf-16"])))


def write_csv(root: Path, pictures: list[Picture], odd: random.Random) -> None:
    place = odd.choice(["images", "JPEGImages", "train", "."])
    header = [odd.choice(["image", "filename", "Image "]), *CORNERS, odd.choice(["class", "CLASS"]), "difficult"]
    order = odd.sample(range(len(header)), len(header))
    on, off = odd.choice([("1", "0"), ("TRUE", "FALSE"), ("true", "")])
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=odd.choice([",", ";", "\t"]), lineterminator="\n")
    writer.writerow([header[at] for at in order])
    for picture in pictures:
        put_image(root / place / f"{picture.stem}.jpg")
        name = odd.choice(["{}.jpg", "{}", "./{}.jpg"]).format(picture.stem)
        for thing in picture.things or [None]:
            values = [*thing.box, thing.name, on if thing.difficult else off] if thing else [""] * 6
            row = [name, *values]
            writer.writerow([row[at] if row[at] == "" else blanks(odd, row[at]) for at in order])
    put(root / "train.csv", text_bytes(odd, sink.getvalue() + odd.choice(["", "\n"])))


def write_yolo(root: Path, pictures: list[Picture], odd: random.Random) -> None:
    images, labels = odd.choice([("images/train", "labels/train"), ("train/images", "train/labels")])
    names = odd.choice([json.dumps(CLASSES), json.dumps(dict(enumerate(CLASSES)))])
    lines = [f"path: {odd.choice(['.', '/content/elsewhere'])}", f"train: {images}", f"names: {names}"]
    odd.shuffle(lines)
    put(root / "data.yaml", "\n".join(lines) + "\n")
    for picture in pictures:
        put_image(root / images / f"{picture.stem}.jpg")
        held = [yolo_line(odd, thing) for thing in picture.things]
        if held or odd.random() < 0.5:
            put(root / labels / f"{picture.stem}.txt", text_bytes(odd, "\n".join(held) + odd.choice(["", "\n"])))


def yolo_line(odd: random.Random, thing: Thing) -> str:
    xmin, ymin, xmax, ymax = thing.box
    values = (xmin + xmax) / 2 / SIZE[0], (ymin + ymax) / 2 / SIZE[1], (xmax - xmin) / SIZE[0], (ymax - ymin) / SIZE[1]
    return odd.choice([" ", "  ", "\t"]).join([str(CLASSES.index(thing.name)), *map(repr, values)])


SYNSETS = dict(zip(CLASSES, ILSVRC_SYNSETS, strict=False))
"""WordNet id that stands for each class in ILSVRC's layout."""


def write_ilsvrc(root: Path, pictures: list[Picture], odd: random.Random) -> None:
    """Write into a folder of the training images; ids have no blanks, since a number may follow them."""
    lines = []
    for number, picture in enumerate(pictures):
        name = f"n01/{picture.stem.replace(' ', '_')}"
        image, xml = f"Data/DET/train/{name}.JPEG", f"Annotations/DET/train/{name}.xml"
        lines.append(odd.choice([name, f"{name} {number}", f"train/{name}", f"{image} {xml}", f"{name}.JPEG"]))
        put(root / image, encoded(".jpg"))
        objects = [voc_object(odd, Thing(SYNSETS[thing.name], thing.box, thing.difficult)) for thing in picture.things]
        put(root / xml, f"<annotation>{''.join(objects)}</annotation>")
    put(root / "ImageSets/DET/train.txt", text_bytes(odd, "\n".join(lines) + odd.choice(["", "\n"])))


WRITERS = {"ilsvrc": write_ilsvrc, "voc": write_voc, "coco": write_coco, "csv": write_csv, "yolo": write_yolo}
WITHOUT_FLAGS = {"coco", "yolo"}
"""Layouts that have no flag for difficult objects."""


Read = dict[str, list[tuple[str, tuple[float, ...], bool]]]


def read_back(root: Path, layout: str) -> tuple[Read, list[Defect]]:
    """Objects by the stem of their image file, and all defects."""
    source = find_data_set(str(root), layout).source("train")
    source.survey()
    listing = source.listing(source.located())
    names = sorted(source.renamed(listing.objects_per_class))
    read: Read = {}
    defects = list(listing.defects)
    for listed in listing.images:
        reading = read_image(listed, names)
        defects += reading.defects
        if reading.row:
            rows = zip(reading.row.labels, reading.row.boxes_xyxy, reading.row.difficult, strict=True)
            held = [
                (names[label], tuple(np.round(box.astype(float), 3).tolist()), bool(hard)) for label, box, hard in rows
            ]
            read[Path(listed.image_file).stem] = sorted(held)
    return read, defects


def expected(pictures: list[Picture], layout: str) -> Read:
    return {
        picture.stem.replace(" ", "_" if layout == "ilsvrc" else " "): sorted(
            (
                ILSVRC_SYNSETS[SYNSETS[thing.name]] if layout == "ilsvrc" else thing.name,
                tuple(map(float, thing.box)),
                thing.difficult and layout not in WITHOUT_FLAGS,
            )
            for thing in picture.things
        )
        for picture in pictures
    }
