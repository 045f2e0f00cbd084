"""Lists of ILSVRC DET, and the files of the images that they name.

A line is `<id>`, `<id> <number>`, or two paths, `Data/DET/....JPEG Annotations/DET/....xml`. Ids in folders
(n02672831/n02672831_11478) are in part train, others in val, unless they begin with train/, val/ or test/. A list
called <split>_<number> whose numbers are 1, 0 and -1 is of a class, and no split.

Tested in tests/stages/datasets/test_ilsvrc.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pipeline.folder import Folder
from stages.datasets.reading.names import normalised, stem
from stages.datasets.source import entries, image_entries
from stages.datasets.xml.voc_lists import list_names, splits_in
from stages.datasets.xml.xml_source import ListedFiles, SplitFiles

ANNOTATIONS, IMAGES, SPLITS = "Annotations/DET", "Data/DET", "ImageSets/DET"
PARTS = ("train", "val", "test")
PLAIN = re.compile(r"(\w+(?:/\w+)*)(\s+-?\d+)?")
"""A line of the official lists."""

LINE = re.compile(r"(?P<image>.*?)(?:\s+-?\d+|\s+(?P<annotation>\S+)\.xml)?")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a list. Names are `<part>/<id>`."""

    whole: str
    """Name of the image if the line is nothing but an id with blanks in it."""

    image: str
    """Name of the image if the line ends in a number or in the path of an annotation."""

    annotation: str


def splits_of(folder: Folder) -> list[str]:
    """Names of the splits; errors as in `splits_in`."""
    return splits_in(folder, SPLITS, lambda name, _: bool(re.search(r"_\d+$", name)))


def read_lines(folder: Folder, split: str) -> list[Line]:
    """The lines of a list. Raises PipelineError for a list that is missing, empty or not text."""
    return [_line(text, split) for text in list_names(folder, SPLITS, split)]


def listed_files(folder: Folder, split: str) -> SplitFiles:
    """The images of a list, repetitions included; errors as in `read_lines`."""
    lines = read_lines(folder, split)
    images = {
        stem(name): (f"{IMAGES}/{name}", file.size)
        for parent in reversed(_parents(line.image for line in lines))
        for file in reversed(image_entries(folder / f"{IMAGES}/{parent}"))
        for name in [f"{parent}/{file.base_name}"]
    }
    annotations = {
        f"{ANNOTATIONS}/{parent}/{file.base_name}"
        for parent in _parents(line.annotation for line in lines)
        for file in entries(folder / f"{ANNOTATIONS}/{parent}")
    }
    return SplitFiles(list_file=f"{SPLITS}/{split}.txt", images=[_files(line, images, annotations) for line in lines])


def _files(line: Line, images: Mapping[str, tuple[str, int]], annotations: Collection[str]) -> ListedFiles:
    name = line.whole if line.whole in images else line.image
    file, size = images.get(name, (f"{IMAGES}/{name}.JPEG", 0))
    annotation = f"{ANNOTATIONS}/{name if name == line.whole else line.annotation}.xml"
    return ListedFiles(
        image_id=name,
        image_file=file,
        found=name in images,
        size=size,
        annotation_file=annotation,
        annotated=annotation in annotations,
    )


def _line(text: str, split: str) -> Line:
    if plain := PLAIN.fullmatch(text):
        name = _in_part(plain[1], split)
        return Line(whole=name + (plain[2] or ""), image=name, annotation=name)
    parts = LINE.fullmatch(text)
    assert parts, "the pattern matches every text"
    image = _name(parts["image"], split)
    annotation = _name(parts["annotation"], split) if parts["annotation"] else image
    return Line(whole=_name(text, split), image=image, annotation=annotation)


def _name(path: str, split: str) -> str:
    """`<part>/<id>` of an id or a path."""
    within = re.split(f"/(?:{IMAGES}|{ANNOTATIONS})/", f"/{normalised(path)}")[-1].removeprefix("/")
    return _in_part(stem(within), split)


def _in_part(name: str, split: str) -> str:
    above, inside, _ = name.partition("/")
    if above in PARTS:
        return name
    return f"{'train' if inside else 'test' if split.startswith('test') else 'val'}/{name}"


def _parents(names: Iterable[str]) -> list[str]:
    """Parent folders of these names, each once."""
    return list(dict.fromkeys(name.rpartition("/")[0] for name in names))
