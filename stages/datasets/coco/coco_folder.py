"""Reader of the layout of COCO: a JSON file for each split, and its images.

The file of split S is annotations/instances_S.json, annotations/image_info_S.json (an image list without annotations),
annotations/S.json, or S/_annotations.coco.json; coco_images.py lists where its images may lie. trainval35k and minival
are the images of train2017 and val2017, or are combined from files of 2014.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyarrow import fs

from pipeline.errors import PipelineError
from pipeline.external.stamp import FilesRead
from pipeline.folder import Folder
from pipeline.suggestion import suggestion
from stages.datasets.coco.coco_images import CocoImages, ImageFile, find_images, image_folders, places
from stages.datasets.coco.coco_json import CocoFile, CocoImage, count_classes, objects_of, parse_coco
from stages.datasets.defects import Defect, Kind
from stages.datasets.files_below import images_below
from stages.datasets.source import (
    ListedImage,
    Listing,
    Source,
    Survey,
    digest_of,
    entries,
    file_names,
    given_folder,
    repeated_ids,
)

FILES = (
    "annotations/instances_{}.json",
    "annotations/image_info_{}.json",
    "annotations/{}.json",
    "{}/_annotations.coco.json",
)

COMPANIONS = ("captions", "person_keypoints", "stuff", "panoptic")
"""Files that COCO publishes beside those of instances."""


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """Splits whose images together make up another one, except those of `without`."""

    splits: tuple[str, ...]
    without: tuple[str, ...] = ()


COMBINED = {
    "trainval35k": (
        _Parts(splits=("train2017",)),
        _Parts(splits=("train2014", "valminusminival2014")),
        _Parts(splits=("train2014", "val2014"), without=("minival2014",)),
        _Parts(splits=("train2014", "val2014"), without=("val2017",)),
    ),
    "minival": (_Parts(splits=("val2017",)), _Parts(splits=("minival2014",))),
}


@dataclass(frozen=True, kw_only=True)
class CocoFolder(Source):
    """One split of a data set in COCO layout: 2014, 2017, or your own."""

    only: str = ""
    """The file to read, where the user named one of another name than those of the layout."""

    def located(self, result: Folder | None = None) -> Folder:
        folder = given_folder(self, result)
        if not self.only and not splits_of(folder):
            looked = ", ".join(name.format("<split>") for name in FILES)
            raise PipelineError(f"{folder.uri} is not a data set in COCO layout: looked for {looked}")
        return folder

    def files_read(self, folder: Folder) -> FilesRead:
        files, _ = _files(folder, self.split, self.only)
        return FilesRead(contents=list(files.values()), sizes=image_folders(folder))

    def surveyed(self, folder: Folder) -> Survey:
        files, _ = _files(folder, self.split, self.only)
        images, found = find_images(folder, files, splits_of(folder)), _read(folder, self.split, self.only)
        self._require_images(folder, files, found, images)
        contents = [hashlib.sha256(folder.read_bytes(file)).hexdigest() for file in files.values()]
        files_found = [images.find(image.file_name) for image in found.images]
        sizes = (
            f"{image.file_name} {file.size if file else None}"
            for image, file in zip(found.images, files_found, strict=True)
        )
        return Survey(
            digest=digest_of([*contents, *sizes]),
            objects_per_class=dict(sorted(count_classes(found.images).items())),
            ids=[image.image_id for image in found.images],
            files=[file.path if file else "" for file in files_found],
            sizes=[file.size if file else 0 for file in files_found],
            crowds=sum(item.crowd for item in objects_of(found.images)),
            difficult=sum(item.difficult and not item.crowd for item in objects_of(found.images)),
        )

    def listing(self, folder: Folder) -> Listing:
        files, _ = _files(folder, self.split, self.only)
        found, images = _read(folder, self.split, self.only), find_images(folder, files, splits_of(folder))
        self._require_images(folder, files, found, images)
        once = {image.image_id: image for image in reversed(found.images)}
        first = [once[image_id] for image_id in dict.fromkeys(image.image_id for image in found.images)]
        place = ", ".join(files.values())
        orphans = sum(number for _, number in found.orphans)
        listed = tuple(self._listed(folder, image, images.find(image.file_name), place) for image in first)
        return Listing(
            images=listed,
            objects_per_class=count_classes(found.images),
            defects=(
                *repeated_ids(self, place, (image.image_id for image in found.images)),
                *self._of_list(found, first, place),
                *self._sharing_files(listed, place),
            ),
            repeated=len(found.images) - len(first),
            orphans=orphans,
        )

    def _require_images(self, folder: Folder, files: Mapping[str, str], found: CocoFile, images: CocoImages) -> None:
        """Raises PipelineError with all places where the images were sought, when there is none of them."""
        if not any(images.find(image.file_name) for image in found.images):
            looked = ", ".join(f"{folder.uri}/{place}".rstrip("/") for place in places(files))
            raise PipelineError(
                f"none of the {len(found.images)} images of split {self.split!r} is in {folder.uri}; "
                f"the first is {found.images[0].file_name!r}; looked in: {looked}. Move or link the images there"
            )

    def _of_list(self, found: CocoFile, images: Sequence[CocoImage], place: str) -> Iterator[Defect]:
        """Defects of the file itself, besides ids listed twice."""
        for kind, detail in found.defects:
            yield self._defect(kind, place, detail)
        for image in images:
            if image.string_id:
                yield self._defect(Kind.STRING_ID, place, f"image {image.image_id!r}")
        for image_id, number in found.orphans:
            named = f"image {image_id}" if image_id else "without an image_id"
            yield self._defect(Kind.ORPHAN_ANNOTATION, place, f"{named}, {number} annotations")

    def _sharing_files(self, images: Sequence[ListedImage], place: str) -> Iterator[Defect]:
        """Files that several entries name, as merged sets of annotations do."""
        ids: dict[str, list[str]] = {}
        for image in images:
            ids.setdefault(image.image_file, []).append(image.image_id)
        for file, of_file in ids.items():
            if len(of_file) > 1:
                yield self._defect(Kind.SHARED_FILE, place, f"{file}: images {', '.join(of_file[:10])}")

    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        yield from ((Kind.ORPHAN_IMAGE, path) for path in images_below(folder))

    def _listed(self, folder: Folder, image: CocoImage, file: ImageFile | None, place: str) -> ListedImage:
        return ListedImage(
            source=self.name,
            folder=folder,
            image_id=image.image_id,
            image_file=file.path if file else image.file_name,
            found=file is not None,
            annotation_file=f"{place}, image {image.image_id}",
            annotation=image.annotation,
            naming=self.naming,
            skip_empty=self.skip_empty,
        )

    def _defect(self, kind: Kind, file: str, detail: str) -> Defect:
        return Defect(kind=kind, source=self.name, file=file, detail=detail)


def split_of_file(name: str) -> str | None:
    """Name of the split whose file this is, by its path inside the folder; None for any other file."""
    forms = (re.escape(form).replace(r"\{\}", "(.+)") for form in FILES)
    return next((match[1] for form in forms if (match := re.fullmatch(form, name))), None)


def splits_of(folder: Folder) -> list[str]:
    """Names of the splits that have a file, and of those that can be combined from them."""
    names = [f"annotations/{name}" for name in file_names(folder / "annotations")]
    inner = (f"{entry.base_name}/_annotations.coco.json" for entry in entries(folder) if _is_folder(entry))
    names += filter(folder.exists, inner)
    matches = [split_of_file(name) for name in names if not _is_companion(name, names)]
    splits = list(dict.fromkeys(name for name in matches if name))
    whole = [name for name, options in COMBINED.items() if any({*p.splits, *p.without} <= {*splits} for p in options)]
    return splits + [name for name in whole if name not in splits]


def _is_folder(entry: fs.FileInfo) -> bool:
    return bool(entry.type == fs.FileType.Directory)


def _is_companion(name: str, names: Sequence[str]) -> bool:
    """Whether a file describes the images of an instances file in another way, and is no split of its own."""
    match = re.fullmatch(rf"annotations/(?:{'|'.join(COMPANIONS)})_(.+\.json)", name)
    return match is not None and f"annotations/instances_{match[1]}" in names


def _files(folder: Folder, split: str, only: str) -> tuple[dict[str, str], _Parts]:
    """File of each split that is read, and which splits are included and which excluded."""
    if only:
        return {split: only}, _Parts(splits=(split,))
    for parts in (_Parts(splits=(split,)), *COMBINED.get(split, ())):
        files = {name: _file(folder, name) for name in (*parts.splits, *parts.without)}
        found = {name: file for name, file in files.items() if file}
        if len(found) == len(files):
            return found, parts
    raise PipelineError(f"{folder.uri} has no split {split!r} in COCO layout; {suggestion(split, splits_of(folder))}")


def _file(folder: Folder, split: str) -> str | None:
    return next((name for name in (pattern.format(split) for pattern in FILES) if folder.is_file(name)), None)


def _read(folder: Folder, split: str, only: str) -> CocoFile:
    """Read the whole split from its files."""
    files, parts = _files(folder, split, only)
    read = {name: _parsed(folder, file) for name, file in files.items()}
    excluded = {image.image_id for name in parts.without for image in read[name].images}
    images = [image for name in parts.splits for image in read[name].images if image.image_id not in excluded]
    if not images:
        raise PipelineError(f"split {split!r} of {folder.uri} is empty: {', '.join(files.values())} list no image")
    return CocoFile(
        images=tuple(images),
        orphans=tuple(orphan for name in parts.splits for orphan in read[name].orphans),
        categories={},
        defects=tuple(defect for name in parts.splits for defect in read[name].defects),
    )


def _parsed(folder: Folder, file: str) -> CocoFile:
    place = f"{folder.uri}/{file}"
    found = parse_coco(folder.read_bytes(file), place)
    for number, image in enumerate(found.images):
        if not image.file_name:
            raise PipelineError(f"{place}: images[{number}], with the id {image.image_id}, has no file_name")
    return found
