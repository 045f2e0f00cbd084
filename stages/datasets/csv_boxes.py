"""Reader of the CSV layout: a CSV of boxes beside the images, one line per box, with named columns.

Columns image (or filename), xmin, ymin, xmax, ymax, class (or label), in any order and case; difficult (0 or 1), width,
height and split are optional. A line whose box and class are empty lists an image without objects. Split S is the file
S.csv or, in a folder with a single CSV, the lines whose column split is S. Corners are in pixels, as annotated.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyarrow import fs

from pipeline.errors import PipelineError
from pipeline.external.stamp import FilesRead
from pipeline.folder import Folder
from pipeline.suggestion import nearest, suggestion
from stages.datasets.annotation import AnnotatedObject, Annotation
from stages.datasets.defects import Kind
from stages.datasets.source import ListedImage, Listing, Source, Survey, digest_of, entries, given_folder, image_entries

CORNERS = ("xmin", "ymin", "xmax", "ymax")
IMAGE, CLASS = ("image", "filename"), ("class", "label")
SPLIT = "split"
OPTIONAL = ("difficult", "width", "height", SPLIT)
NEAR = 0.85
"""Similarity at which an unknown column counts as a misspelling: splits of split, but not weight of height."""

PLACES = ("images", "JPEGImages", "")
"""Folders that may hold the images, besides one named after the split."""


@dataclass(frozen=True, kw_only=True)
class CsvBoxes(Source):
    """One split of a data set in CSV layout."""

    def located(self, result: Folder | None = None) -> Folder:
        folder = given_folder(self, result)
        if not csv_files(folder):
            raise PipelineError(f"{folder.uri} holds no .csv with boxes")
        return folder

    def files_read(self, folder: Folder) -> FilesRead:
        return FilesRead(contents=[_file(folder, self.split)], sizes=[*PLACES, self.split])

    def surveyed(self, folder: Folder) -> Survey:
        found, images = _read(folder, self.split), _images(folder, self.split)
        if not set(found) & set(images):
            places = ", ".join(place or "the folder itself" for place in (*PLACES, self.split))
            raise PipelineError(
                f"none of the {len(found)} images of split {self.split!r} is in {folder.uri} ({places})"
            )
        content = hashlib.sha256(folder.read_bytes(_file(folder, self.split))).hexdigest()
        sizes = (f"{name} {images[name][1].size if name in images else None}" for name in found)
        return Survey(
            digest=digest_of([self.split, content, *sizes]),
            objects_per_class=dict(sorted(_count(found).items())),
            ids=list(found),
            files=[images[name][0] if name in images else "" for name in found],
            sizes=[images[name][1].size if name in images else 0 for name in found],
        )

    def listing(self, folder: Folder) -> Listing:
        file, found, images = _file(folder, self.split), _read(folder, self.split), _images(folder, self.split)
        listed = tuple(
            ListedImage(
                source=self.name,
                folder=folder,
                image_id=name,
                image_file=images[name][0] if name in images else name,
                found=name in images,
                annotation_file=f"{file}, {name}",
                annotation=annotation,
                naming=self.naming,
                skip_empty=self.skip_empty,
            )
            for name, annotation in found.items()
        )
        return Listing(images=listed, objects_per_class=_count(found))

    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        paths = sorted({path for path, _ in _images(folder, self.split).values()})
        yield from ((Kind.ORPHAN_IMAGE, path) for path in paths)


def csv_files(folder: Folder) -> list[str]:
    """Names of the CSV files whose header has the columns of a box."""
    names = [str(entry.base_name) for entry in entries(folder) if str(entry.base_name).endswith(".csv")]
    wanted = [*((name,) for name in CORNERS), IMAGE, CLASS]
    return [name for name in names if all({*_header(folder, name)} & {*either} for either in wanted)]


def splits_of(folder: Folder) -> list[str]:
    """Names of the splits: the values of the column split in a single file, or else the names of the files.

    Raises PipelineError for a column name that looks misspelled: without a column split, all lines would be one split.
    """
    files = csv_files(folder)
    for name in files:
        if slip := _slip(_header(folder, name)):
            raise PipelineError(f"{folder.uri}/{name}: {slip}")
    if len(files) == 1 and SPLIT in _header(folder, files[0]):
        return sorted({line[SPLIT] for _, line in _lines(folder, files[0])})
    return [name.removesuffix(".csv") for name in files]


def _header(folder: Folder, name: str) -> list[str]:
    """Column names in lower case; reads only the first line."""
    with folder.open_input(name) as file, io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="") as lines:
        return [column.strip().lower() for column in next(csv.reader(lines), [])]


def _lines(folder: Folder, file: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and values of each line that is not empty. Raises PipelineError where the column split is empty."""
    header = _header(folder, file)
    reader = csv.reader(io.StringIO(folder.read_bytes(file).decode("utf-8-sig", errors="replace"), newline=""))
    next(reader, None)
    for values in reader:
        line = dict(zip(header, map(str.strip, values), strict=False))
        if not any(line.values()):
            continue
        if SPLIT in header and not line.get(SPLIT):
            raise PipelineError(f"{folder.uri}/{file}, line {reader.line_num}: the column split is empty")
        yield reader.line_num, line


def _slip(header: list[str]) -> str:
    """Describe a repeated column or a misspelled optional one; "" when there is neither."""
    known = {*CORNERS, *IMAGE, *CLASS, *OPTIONAL}
    if twice := [name for name in header if name in known and header.count(name) > 1]:
        return f"two columns are named {twice[0]!r}"
    absent = [name for name in OPTIONAL if name not in header]
    for name in header:
        if name not in known and (meant := nearest(name, absent, cutoff=NEAR)):
            return f"column {name!r} looks like a misspelling of {meant[0]!r}: rename it to that or to something else"
    return ""


def _file(folder: Folder, split: str) -> str:
    """Name of the file that holds a split."""
    files, splits = csv_files(folder), splits_of(folder)
    if split not in splits:
        raise PipelineError(f"{folder.uri} has no split {split!r} in a CSV; {suggestion(split, splits)}")
    return files[0] if len(files) == 1 else f"{split}.csv"


def _read(folder: Folder, split: str) -> dict[str, Annotation]:
    """Annotations by image name, in the order in which the names first appear."""
    file = _file(folder, split)
    alone = len(csv_files(folder)) == 1
    sizes: dict[str, tuple[int, int] | None] = {}
    objects: dict[str, list[AnnotatedObject]] = {}
    for number, line in _lines(folder, file):
        if (named := line.get(SPLIT, split)) != split and alone:
            continue
        try:
            if named != split:
                raise ValueError(
                    f"column split is {named!r} in the file of split {split!r}: "
                    "put all lines into one file, or rename the file"
                )
            name = _first(line, IMAGE)
            sizes.setdefault(name, _size(line))
            objects.setdefault(name, []).extend(_objects(line))
        except ValueError as error:
            raise PipelineError(f"{folder.uri}/{file}, line {number}: {error}") from error
    return {name: Annotation(size=sizes[name], objects=tuple(found)) for name, found in objects.items()}


def _objects(line: Mapping[str, str]) -> list[AnnotatedObject]:
    """The object of a line, as a list of one; an empty list when box and class are empty."""
    texts = [line.get(name, "") for name in CORNERS]
    if not any(texts) and not any(line.get(name) for name in CLASS):
        return []
    try:
        xmin, ymin, xmax, ymax = map(float, texts)
    except ValueError:
        raise ValueError(f"{', '.join(CORNERS)} must be four numbers, but the line has {texts}") from None
    if not all(map(math.isfinite, (xmin, ymin, xmax, ymax))):
        raise ValueError(f"{', '.join(CORNERS)} must be finite, but the line has {texts}")
    difficult = line.get("difficult") in ("1", "true", "True")
    return [AnnotatedObject(name=_first(line, CLASS), box_xyxy=(xmin, ymin, xmax, ymax), difficult=difficult)]


def _first(line: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Value of the first of these columns that is not empty. Raises ValueError when there is none."""
    value = next((text for name in names if (text := line.get(name))), "")
    if not value:
        raise ValueError(f"{names[0]} is empty")
    return value


def _size(line: Mapping[str, str]) -> tuple[int, int] | None:
    width, height = line.get("width"), line.get("height")
    return (round(float(width)), round(float(height))) if width and height else None


def _count(found: Mapping[str, Annotation]) -> Counter[str]:
    return Counter(item.name for annotation in found.values() for item in annotation.objects)


def _images(folder: Folder, split: str) -> dict[str, tuple[str, fs.FileInfo]]:
    """Path inside the folder and file of each image, by every name that a CSV may use for it."""
    found: dict[str, tuple[str, fs.FileInfo]] = {}
    for place in (*PLACES, split):
        for file in image_entries(folder / place if place else folder):
            path = f"{place}/{file.base_name}".lstrip("/")
            for name in (str(file.base_name), path, Path(file.base_name).stem):
                found.setdefault(name, (path, file))
    return found
