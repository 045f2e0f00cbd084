"""What is lost or changed in reading is reported, whatever the layout."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from tests.stages.datasets.random_sets import SYNSETS, WRITERS, Picture, Thing, put, read_back


def edit(file: Path, change: Callable[[str], str]) -> None:
    before = file.read_text(encoding="utf-8")
    after = change(before)
    assert after != before, f"{file.name} was not changed"
    file.write_text(after, encoding="utf-8")


def plain(layout: str, root: Path) -> None:
    """Write two images with an object each, without any oddity."""

    class First(random.Random):
        def choice(self, seq: Any) -> Any:
            return seq[0]

        def shuffle(self, x: Any) -> None:
            pass

        def sample(self, population: Any, k: int, **_: Any) -> Any:
            return list(population)[:k]

        def random(self) -> float:
            return 0.0

    pictures = [Picture("a", (Thing("cat", (2, 3, 40, 30)),)), Picture("b", (Thing("dog", (5, 6, 50, 40)),))]
    WRITERS[layout](root, pictures, First())


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda root: edit(root / name, lambda text: text.replace(old, new, 1))


def cut(name: str) -> Callable[[Path], None]:
    return lambda root: put(root / name, (root / name).read_bytes()[: (root / name).stat().st_size * 2 // 3])


def appended(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda root: put(root / name, (root / name).read_bytes() + content)


def removed(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def a_folder(name: str) -> Callable[[Path], None]:
    """Put a folder in the place of a file."""

    def replace(root: Path) -> None:
        (root / name).unlink()
        (root / name).mkdir()

    return replace


XML, LIST, JSON, CSV = "Annotations/a.xml", "ImageSets/Main/train.txt", "annotations/instances_train.json", "train.csv"
YOLO, YAML = "labels/train/a.txt", "data.yaml"
LISTED, DET = "ImageSets/DET/train.txt", "Annotations/DET/train/n01/a.xml"
HARM: dict[str, dict[str, Callable[[Path], None]]] = {
    "voc": {
        "an object without a name": replaced(XML, "<name>cat</name>", ""),
        "an empty name": replaced(XML, "cat", " "),
        "a coordinate in words": replaced(XML, "<xmin>2", "<xmin>two"),
        "an infinite coordinate": replaced(XML, "<xmin>2", "<xmin>inf"),
        "a box without area": replaced(XML, "<xmin>2", "<xmin>40"),
        "swapped corners": replaced(XML, "<xmin>2", "<xmin>45"),
        "a box outside": replaced(XML, "<xmin>2</xmin>", "<xmin>70</xmin>"),
        "a box across the border": replaced(XML, "<xmax>40", "<xmax>90"),
        "a flag in words": replaced(XML, "<difficult>0", "<difficult>Unspecified"),
        "two boxes in one object": replaced(XML, "</bndbox>", "</bndbox><bndbox><xmin>1</xmin></bndbox>"),
        "two names in one object": replaced(XML, "<name>", "<name>dog</name><name>"),
        "XML of another kind": lambda root: put(root / XML, "<annotations><image><box/></image></annotations>"),
        "a namespace": replaced(XML, "<annotation>", '<annotation xmlns="http://example.org">'),
        "cut XML": cut(XML),
        "XML in an undeclared encoding": lambda root: put(
            root / XML, (root / XML).read_bytes().replace(b"cat", b"c\xe9t")
        ),
        "a missing annotation": removed(XML),
        "a folder called like an annotation": a_folder(XML),
        "a folder called like a list": a_folder(LIST),
        "a missing image": removed("JPEGImages/a.jpg"),
        "a cut image": cut("JPEGImages/a.jpg"),
        "another size": replaced(XML, "<width>64", "<width>640"),
        "an id listed twice": appended(LIST, b"\na\n"),
        "an unknown id": appended(LIST, b"\nnowhere\n"),
        "a list in Latin-1": appended(LIST, b"\ncaf\xe9\n"),
        "an object annotated twice": lambda root: edit(
            root / XML, lambda text: text.replace("</annotation>", text[text.index("<object>") :])
        ),
    },
    "ilsvrc": {
        "an object without a name": replaced(DET, f"<name>{SYNSETS['cat']}</name>", ""),
        "a coordinate in words": replaced(DET, "<xmin>2", "<xmin>two"),
        "two boxes in one object": replaced(DET, "</bndbox>", "</bndbox><bndbox><xmin>1</xmin></bndbox>"),
        "cut XML": cut(DET),
        "a missing annotation": removed(DET),
        "a missing image": removed("Data/DET/train/n01/a.JPEG"),
        "a cut image": cut("Data/DET/train/n01/a.JPEG"),
        "an id listed twice": appended(LISTED, b"\nn01/a\n"),
        "a list in Latin-1": appended(LISTED, b"\ncaf\xe9\n"),
    },
    "coco": {
        "no box": replaced(JSON, '"bbox": [2, 3, 38.0, 27]', '"bbox": null'),
        "three numbers": replaced(JSON, "[2, 3, 38.0, 27]", "[2, 3, 38.0]"),
        "NaN": replaced(JSON, "[2, 3,", "[NaN, 3,"),
        "a negative width": replaced(JSON, "38.0", "-38.0"),
        "no area": replaced(JSON, "38.0", "0"),
        "a flag in words": replaced(JSON, '"category_id": 10', '"category_id": 10, "iscrowd": "maybe"'),
        "an undefined category": replaced(JSON, '"category_id": 10', '"category_id": 99'),
        "an unlisted image": replaced(JSON, '"image_id": 0', '"image_id": 77'),
        "no image id": replaced(JSON, '"image_id": 0', '"image_id": null'),
        "a null name": replaced(JSON, '"name": "cat"', '"name": null'),
        "an empty name": replaced(JSON, '"name": "cat"', '"name": " "'),
        "an id listed twice": replaced(
            JSON, '"images": [{"id": 0', '"images": [{"id": 1, "file_name": "b.jpg"}, {"id": 0'
        ),
        "two categories of one id": replaced(JSON, '"id": 11, "name"', '"id": 10, "name"'),
        "a cut file": cut(JSON),
        "a folder called like the annotations": a_folder(JSON),
        "JSON in Latin-1": lambda root: put(root / JSON, (root / JSON).read_bytes().replace(b'"cat"', b'"c\xe9t"')),
        "a missing image": removed("images/train/a.jpg"),
        "a cut image": cut("images/train/a.jpg"),
    },
    "csv": {
        "an extra value": replaced(CSV, "cat,0", "cat,0,7"),
        "a missing value": replaced(CSV, "3,40,30,cat,0", "3,40,30,cat"),
        "a coordinate in words": replaced(CSV, ",3,40", ",three,40"),
        "no class": replaced(CSV, ",cat,", ",,"),
        "no image": replaced(CSV, "a.jpg", ""),
        "a flag in words": replaced(CSV, "cat,0", "cat,maybe"),
        "no column of classes": replaced(CSV, ",class", ",kind"),
        "a file in Latin-1": appended(CSV, b"\nb.jpg,1,1,9,9,caf\xe9,0\n"),
        "a missing image": removed("images/a.jpg"),
        "swapped corners": replaced(CSV, "a.jpg,2,3,40", "a.jpg,45,3,40"),
    },
    "yolo": {
        "a line of words": appended(YOLO, b"\na cat somewhere\n"),
        "four values": appended(YOLO, b"\n0 0.5 0.5 0.1\n"),
        "a confidence": appended(YOLO, b"\n0 0.5 0.5 0.1 0.1 0.9\n"),
        "a class out of range": appended(YOLO, b"\n4 0.5 0.5 0.1 0.1\n"),
        "a negative class": appended(YOLO, b"\n-1 0.5 0.5 0.1 0.1\n"),
        "half a class": appended(YOLO, b"\n0.5 0.5 0.5 0.1 0.1\n"),
        "NaN": appended(YOLO, b"\n0 nan 0.5 0.1 0.1\n"),
        "pixels": appended(YOLO, b"\n0 32 24 10 10\n"),
        "no area": appended(YOLO, b"\n0 0.5 0.5 0 0.1\n"),
        "labels in Latin-1": appended(YOLO, b"\n\xe9\n"),
        "broken YAML": replaced(YAML, "names: [", "names: "),
        "no names": replaced(YAML, "names:", "nomen:"),
        "a missing image": removed("images/train/a.jpg"),
    },
}


@pytest.mark.parametrize(("layout", "harm"), [(layout, harm) for layout, harms in HARM.items() for harm in harms])
def test_what_is_lost_or_changed_is_reported(layout: str, harm: str, tmp_path: Path) -> None:
    plain(layout, tmp_path)
    sound, defects = read_back(tmp_path, layout)
    assert (len(sound), defects) == (2, [])
    HARM[layout][harm](tmp_path)
    assert reported(tmp_path, layout), "nothing was reported"


def reported(root: Path, layout: str) -> list[str]:
    """The message of a refusal, or the defects."""
    try:
        return [str(defect) for defect in read_back(root, layout)[1]]
    except PipelineError as refusal:
        return [str(refusal)]
