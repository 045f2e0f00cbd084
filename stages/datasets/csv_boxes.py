"""A CSV of boxes beside images: one line for each box, columns by the names in its header.

Columns image (or filename), xmin, ymin, xmax, ymax, class (or label), in any order; difficult (0 or 1), width, height
and split may be there. A line whose box and class are empty lists an image without objects. Split S is the file S.csv,
or the lines of the folder's only CSV whose column split says S. Corners are pixels as annotated.
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
from pipeline.suggestion import suggestion
from stages.datasets.annotation import AnnotatedObject, Annotation
from stages.datasets.defects import Kind
from stages.datasets.source import ListedImage, Listing, Source, Survey, digest_of, entries, given_folder, image_entries

CORNERS = ("xmin", "ymin", "xmax", "ymax")
IMAGE, CLASS = ("image", "filename"), ("class", "label")
PLACES = ("images", "JPEGImages", "")
"""Folders in which the images may lie; {split} as well."""


@dataclass(frozen=True, kw_only=True)
class CsvBoxes(Source):
    """One split of a CSV."""

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
    return [name for name in names if not _lacking(_header(folder, name))]


def splits_of(folder: Folder) -> list[str]:
    """Names of the splits: those of a column, or the files' own."""
    files = csv_files(folder)
    by_column = [
        {line["split"] for line in csv.DictReader(_lines(folder, name)) if line.get("split")}
        for name in files
        if "split" in _header(folder, name)
    ]
    columns = set().union(*by_column)
    return sorted(columns) if columns else [name.removesuffix(".csv") for name in files]


def _header(folder: Folder, name: str) -> list[str]:
    """The first line, without reading the others."""
    with folder.open_input(name) as file, io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="") as lines:
        return next(csv.reader(lines), [])


def _lines(folder: Folder, name: str) -> io.StringIO:
    return io.StringIO(folder.read_bytes(name).decode("utf-8-sig", errors="replace"), newline="")


def _lacking(header: list[str]) -> list[str]:
    """Columns that a header has not."""
    wanted = [*((name,) for name in CORNERS), IMAGE, CLASS]
    return [names[0] for names in wanted if not {name.strip() for name in header} & set(names)]


def _file(folder: Folder, split: str) -> str:
    files = csv_files(folder)
    named = [name for name in files if name == f"{split}.csv"]
    if not named and len(files) == 1 and split in splits_of(folder):
        named = files
    if not named:
        raise PipelineError(f"{folder.uri} has no split {split!r} in a CSV; {suggestion(split, splits_of(folder))}")
    return named[0]


def _read(folder: Folder, split: str) -> dict[str, Annotation]:
    """Image name to what is said of it, in the order of the first line of each."""
    file = _file(folder, split)
    by_column = file != f"{split}.csv"
    sizes: dict[str, tuple[int, int] | None] = {}
    objects: dict[str, list[AnnotatedObject]] = {}
    reader = csv.DictReader(_lines(folder, file), skipinitialspace=True)
    for line in reader:
        if by_column and line.get("split") != split:
            continue
        try:
            name = _first(line, IMAGE)
            sizes.setdefault(name, _size(line))
            objects.setdefault(name, []).extend(_objects(line))
        except ValueError as error:
            raise PipelineError(f"{folder.uri}/{file}, line {reader.line_num}: {error}") from error
    return {name: Annotation(size=sizes[name], objects=tuple(found)) for name, found in objects.items()}


def _objects(line: Mapping[str, str | None]) -> list[AnnotatedObject]:
    """The box of a line; none when all of it is empty."""
    texts = [(line.get(name) or "").strip() for name in CORNERS]
    if not any(texts) and not any((line.get(name) or "").strip() for name in CLASS):
        return []
    try:
        xmin, ymin, xmax, ymax = map(float, texts)
    except ValueError:
        raise ValueError(f"{', '.join(CORNERS)} must be four numbers, but are {texts}") from None
    if not all(map(math.isfinite, (xmin, ymin, xmax, ymax))):
        raise ValueError(f"{', '.join(CORNERS)} must be finite, but are {texts}")
    difficult = (line.get("difficult") or "").strip() in ("1", "true", "True")
    return [AnnotatedObject(name=_first(line, CLASS), box_xyxy=(xmin, ymin, xmax, ymax), difficult=difficult)]


def _first(line: Mapping[str, str | None], names: tuple[str, ...]) -> str:
    """The value of the column that has one of the names. ValueError when it is empty."""
    value = next((text.strip() for name in names if (text := line.get(name)) and text.strip()), "")
    if not value:
        raise ValueError(f"{names[0]} is empty")
    return value


def _size(line: Mapping[str, str | None]) -> tuple[int, int] | None:
    width, height = ((line.get(name) or "").strip() for name in ("width", "height"))
    return (round(float(width)), round(float(height))) if width and height else None


def _count(found: Mapping[str, Annotation]) -> Counter[str]:
    return Counter(item.name for annotation in found.values() for item in annotation.objects)


def _images(folder: Folder, split: str) -> dict[str, tuple[str, fs.FileInfo]]:
    """Image name, as a CSV may call it, to its path inside the folder and its file."""
    found: dict[str, tuple[str, fs.FileInfo]] = {}
    for place in (*PLACES, split):
        for file in image_entries(folder / place if place else folder):
            path = f"{place}/{file.base_name}".lstrip("/")
            for name in (str(file.base_name), path, Path(file.base_name).stem):
                found.setdefault(name, (path, file))
    return found
