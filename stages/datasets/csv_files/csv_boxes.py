"""Reader of the CSV layout: a CSV of boxes beside the images, one line per box, with named columns.

Columns image (or filename), xmin, ymin, xmax, ymax, class (or label), in any order and case; difficult and iscrowd (or
crowd), which are 0 or 1, width, height and split are optional. A line whose box and class are empty lists an image
without objects. Split S is the file S.csv or, in a folder with a single CSV, the lines whose column split is S. Corners
are in pixels, as annotated.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.errors import PipelineError
from pipeline.external.stamp import FilesRead
from pipeline.folder import Folder
from stages.datasets.annotation import AnnotatedObject, Annotation, Remark
from stages.datasets.csv_files.csv_columns import SPLIT, unread
from stages.datasets.csv_files.csv_rows import image_of, objects_of, size_of
from stages.datasets.csv_files.csv_table import (
    BadRow,
    columns_of,
    csv_files,
    file_of,
    read_table,
    refuse,
    splits_of,
    without_split,
)
from stages.datasets.defects import Defect, Kind
from stages.datasets.files_below import folders_below, images_below
from stages.datasets.reading.names import ImageNames, normalised
from stages.datasets.source import ListedImage, Listing, Source, Survey, digest_of, given_folder

OWN_PLACES = ("images/{}", "{}/images", "{}")
PLACES = ("images", "JPEGImages", "")
"""Folders that may hold the images, after those named after the split."""


@dataclass(frozen=True, kw_only=True)
class CsvBoxes(Source):
    """One split of a data set in CSV layout."""

    only: str = ""
    """The file to read, where the user named it; other CSV files of the folder are then ignored."""

    def located(self, result: Folder | None = None) -> Folder:
        folder = given_folder(self, result)
        if not csv_files(folder, self.only):
            raise PipelineError(
                f"{folder.uri} holds no .csv with boxes: looked for the columns image, xmin, ymin, xmax, ymax, class"
            )
        return folder

    def files_read(self, folder: Folder) -> FilesRead:
        return FilesRead(contents=[file_of(folder, self.split, self.only)], sizes=list(folders_below(folder)))

    def surveyed(self, folder: Folder) -> Survey:
        found = _read(folder, self.split, self.only)
        if not any(image.file for image in found.values()):
            places = ", ".join(place or "the folder itself" for place in _places(self.split))
            named = ", ".join(list(found)[:3]) + (", ..." if len(found) > 3 else "")
            raise PipelineError(
                f"none of the {len(found)} images of split {self.split!r} ({named}) is in {folder.uri}; "
                f"looked in: {places}, and their subfolders"
            )
        content = hashlib.sha256(folder.read_bytes(file_of(folder, self.split, self.only))).hexdigest()
        sizes = (f"{name} {image.bytes if image.file else None}" for name, image in found.items())
        return Survey(
            digest=digest_of([self.split, content, *sizes]),
            objects_per_class=dict(sorted(_count(found).items())),
            ids=list(found),
            files=[image.file for image in found.values()],
            sizes=[image.bytes for image in found.values()],
            difficult=sum(item.difficult for image in found.values() for item in image.objects),
        )

    def listing(self, folder: Folder) -> Listing:
        file, found = file_of(folder, self.split, self.only), _read(folder, self.split, self.only)
        listed = tuple(
            ListedImage(
                source=self.name,
                folder=folder,
                image_id=name,
                image_file=image.file or name,
                found=bool(image.file),
                annotation_file=f"{file}, {name}",
                annotation=image.annotation(),
                naming=self.naming,
                skip_empty=self.skip_empty,
            )
            for name, image in found.items()
        )
        return Listing(images=listed, objects_per_class=_count(found), defects=tuple(self._unread(folder, file)))

    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        yield from ((Kind.ORPHAN_IMAGE, path) for path in images_below(folder))

    def _unread(self, folder: Folder, file: str) -> Iterator[Defect]:
        """Columns that the reader does not know."""
        for column in unread(columns_of(folder)[file]):
            yield Defect(kind=Kind.UNREAD, source=self.name, file=file, detail=f"column {column}")


@dataclass(kw_only=True)
class _Image:
    """An image of a split, gathered from its rows."""

    file: str
    """Path inside the folder; empty when there is none."""

    bytes: int
    first: int
    """Number of the line that first names it."""

    size: tuple[int, int] | None
    objects: list[AnnotatedObject] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def add(self, number: int, row: Mapping[str, str]) -> None:
        """Add what a row says. Raises ValueError when it cannot be read."""
        size = size_of(row)
        if size and self.size and size != self.size:
            stated = "line {}: {}x{}, but line {}: {}x{}".format(number, *size, self.first, *self.size)
            self.remarks.append(Remark(kind=Kind.WRONG_SIZE, detail=stated))
        self.size = self.size or size
        self.objects += objects_of(row)

    def annotation(self) -> Annotation:
        return Annotation(size=self.size, objects=tuple(self.objects), remarks=tuple(self.remarks))


def _read(folder: Folder, split: str, only: str) -> dict[str, _Image]:
    """Images by the name that the first of their rows gives them, in the order of these rows.

    Raises PipelineError that lists all rows that cannot be read.
    """
    file = file_of(folder, split, only)
    table, alone = read_table(folder, file), len(csv_files(folder, only)) == 1
    find = _Finder(folder, split, only)
    found: dict[str, _Image] = {}
    bad = [*table.bad, *without_split(table)]
    for number, row in table.rows():
        named = row.get(SPLIT, split)
        if not named or (alone and named != split):
            continue
        try:
            if named != split:
                raise ValueError(
                    f"column split is {named!r} in the file of split {split!r}: "
                    "put all lines into one file, or rename the file"
                )
            name = find.first_name(image_of(row))
            if name not in found:
                path, size = find.file(name)
                found[name] = _Image(file=path, bytes=size, first=number, size=None)
            found[name].add(number, row)
        except ValueError as error:
            bad.append(BadRow(number, str(error)))
    refuse(folder, file, bad)
    return found


class _Finder:
    """Finds the files of the images that the rows of a split name."""

    def __init__(self, folder: Folder, split: str, only: str) -> None:
        self._sizes = images_below(folder)
        others = {place for other in splits_of(folder, only) if other != split for place in _own(other)}
        own = _places(split)
        self._names = ImageNames(self._sizes, places=own, others=[place for place in others if place not in own])
        self._files: dict[str, str] = {}
        self._first: dict[str, str] = {}

    def first_name(self, name: str) -> str:
        """The name by which an image was first named: two names of one file are one image."""
        if name not in self._files:
            self._files[name] = self._names.find(name) or ""
        return self._first.setdefault(self._files[name] or f"absent {normalised(name)}", name)

    def file(self, name: str) -> tuple[str, int]:
        """Path and size in bytes of the file with a name that `first_name` returned; "" and 0 when it is missing."""
        path = self._files[name]
        return path, self._sizes.get(path, 0)


def _own(split: str) -> list[str]:
    return [place.format(split) for place in OWN_PLACES]


def _places(split: str) -> list[str]:
    return [*_own(split), *PLACES]


def _count(found: Mapping[str, _Image]) -> Counter[str]:
    return Counter(item.name for image in found.values() for item in image.objects)
