"""Reader of the layout of PASCAL VOC.

Annotations/<id>.xml, JPEGImages/<id>.<jpg, png, ...>, ImageSets/Main/<split>.txt with one id per line.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pyarrow import fs

from pipeline.errors import PipelineError
from pipeline.external.stamp import FilesRead
from pipeline.folder import Folder
from pipeline.suggestion import suggestion
from stages.datasets.annotation import Annotation
from stages.datasets.defects import Kind
from stages.datasets.image_check import SUFFIXES
from stages.datasets.source import (
    ListedImage,
    Listing,
    Source,
    Survey,
    digest_of,
    entries,
    given_folder,
    image_entries,
    missing,
    repeated_ids,
)
from stages.datasets.voc_parts import ANNOTATIONS, IMAGES, SPLITS
from stages.datasets.voc_xml import parse


@dataclass(frozen=True, kw_only=True)
class VocFolder(Source):
    """One split of a data set in VOC layout: 2007, 2012, or your own."""

    folder: str = ""
    """Subfolder of `root`, such as VOC2012; needed only where `root` holds several data sets."""

    annotated: bool = True
    """False for a split whose annotations are not published (VOC2012 test): its images come without objects."""

    def located(self, result: Folder | None = None) -> Folder:
        """The folder that holds Annotations."""
        place = given_folder(self, result)
        if self.remedy and not data_sets(place, self.folder):
            raise missing(self, f"no {self.folder}/{ANNOTATIONS} in {place.uri} or in its VOCdevkit")
        return _locate(place, self.folder)

    def files_read(self, folder: Folder) -> FilesRead:  # noqa: ARG002 - other layouts look into the folder
        annotations = [ANNOTATIONS] if self.annotated else []
        return FilesRead(contents=[f"{SPLITS}/{self.split}.txt", *annotations], sizes=[IMAGES])

    def surveyed(self, folder: Folder) -> Survey:
        ids, images = listed_ids(folder, self.split), image_files(folder)
        if not any(image_id in images for image_id in ids):
            raise PipelineError(
                f"none of the {len(ids)} ids of split {self.split!r} has an image in {folder.uri}/{IMAGES}"
            )
        digests, counts = _read_annotations(folder, ids) if self.annotated else ([""] * len(ids), Counter())
        sizes = [f"{images[key].base_name} {images[key].size}" if key in images else "" for key in ids]
        return Survey(
            digest=digest_of(f"{key} {digest} {size}" for key, digest, size in zip(ids, digests, sizes, strict=True)),
            objects_per_class=dict(sorted(counts.items())),
            ids=ids,
            files=[f"{IMAGES}/{images[key].base_name}" if key in images else "" for key in ids],
            sizes=[images[key].size if key in images else 0 for key in ids],
        )

    def listing(self, folder: Folder) -> Listing:
        ids = listed_ids(folder, self.split)
        once = list(dict.fromkeys(ids))
        files = image_files(folder)
        return Listing(
            images=tuple(self._listed(folder, image_id, files.get(image_id)) for image_id in once),
            objects_per_class=count_classes(folder, once) if self.annotated else {},
            defects=repeated_ids(self, f"{SPLITS}/{self.split}.txt", ids),
            repeated=len(ids) - len(once),
        )

    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        yield from ((Kind.ORPHAN_IMAGE, f"{IMAGES}/{file.base_name}") for file in image_entries(folder / IMAGES))
        yield from ((Kind.ORPHAN_FILE, f"{ANNOTATIONS}/{file.base_name}") for file in entries(folder / ANNOTATIONS))

    def _listed(self, folder: Folder, image_id: str, file: fs.FileInfo | None) -> ListedImage:
        return ListedImage(
            source=self.name,
            folder=folder,
            image_id=image_id,
            image_file=f"{IMAGES}/{file.base_name if file else image_id}",
            found=file is not None,
            annotation_file=f"{ANNOTATIONS}/{image_id}.xml",
            annotation=None if self.annotated else Annotation(size=None, objects=()),
            parse=parse,
            naming=self.naming,
            skip_empty=self.skip_empty,
        )


def annotations_below(root: str) -> Folder:
    """The data set at a path or URI, for its annotations and splits only: it need not contain images."""
    place = Folder.at(root)
    if not place.exists():
        raise PipelineError(f"there is no folder {place.uri}")
    return _locate(place, "", parts=(SPLITS,))


def data_sets(place: Folder, name: str = "") -> list[Folder]:
    """The folder itself, or folders in it or in its VOCdevkit, that hold Annotations; only those called `name`."""
    if place.exists(ANNOTATIONS) and name in ("", place.uri.rstrip("/").rpartition("/")[2]):
        return [place]
    parents = [folder for folder in (place, place / "VOCdevkit") if folder.exists()]
    children = [parent / entry.base_name for parent in parents for entry in entries(parent)]
    return [child for child in children if child.exists(ANNOTATIONS) and name in ("", child.uri.rpartition("/")[2])]


def splits_of(folder: Folder) -> list[str]:
    """Names of the splits, without the lists of single classes, which have a second column of 1 and -1."""
    names = [str(entry.base_name) for entry in entries(folder / SPLITS)]
    texts = {
        name.removesuffix(".txt"): folder.read_bytes(f"{SPLITS}/{name}") for name in names if name.endswith(".txt")
    }
    return [name for name, text in texts.items() if len(text.split(b"\n", 1)[0].split()) <= 1]


def listed_ids(folder: Folder, split: str) -> list[str]:
    """Ids in the order of the split file, repetitions included."""
    name = f"{SPLITS}/{split}.txt"
    if not folder.exists(name):
        there = [
            str(file.base_name).removesuffix(".txt")
            for file in entries(folder / SPLITS)
            if file.base_name.endswith(".txt")
        ]
        raise PipelineError(f"{folder.uri} has no split {split!r} ({name}); {suggestion(split, there)}")
    text = folder.read_bytes(name).decode(errors="replace").removeprefix("\ufeff")
    ids = [line.strip() for line in text.splitlines() if line.strip()]
    if not ids:
        raise PipelineError(f"split {split!r} of {folder.uri} is empty: {name} lists no image")
    return ids


def image_files(folder: Folder) -> dict[str, fs.FileInfo]:
    """Image files by id; where an id has several, the one whose suffix comes first in SUFFIXES."""
    order = {suffix: place for place, suffix in enumerate(SUFFIXES)}
    files = image_entries(folder / IMAGES)
    if not files:
        raise PipelineError(f"{folder.uri}/{IMAGES} holds no image (looked for {', '.join(SUFFIXES)})")
    files.sort(key=lambda file: (-order[Path(str(file.base_name)).suffix.lower()], file.base_name))
    return {Path(file.base_name).stem: file for file in files}


def count_classes(folder: Folder, ids: Iterable[str]) -> Counter[str]:
    """Number of objects of each class in the annotations of `ids`; broken or missing files are ignored."""
    return _read_annotations(folder, ids)[1]


def _locate(place: Folder, name: str, parts: tuple[str, ...] = (IMAGES, SPLITS)) -> Folder:
    found = data_sets(place, name)
    if len(found) > 1:
        raise PipelineError(
            f"{place.uri} holds several data sets: {', '.join(folder.uri for folder in found)}; name one of them"
        )
    if not found:
        wanted = f"{name}/{ANNOTATIONS}" if name else f"{ANNOTATIONS}, VOC2007/{ANNOTATIONS}"
        raise PipelineError(
            f"{place.uri} is not a data set in VOC layout: looked for {wanted} in it, in its folders and in VOCdevkit"
        )
    if absent := [part for part in parts if not found[0].exists(part)]:
        raise PipelineError(f"{found[0].uri} has {ANNOTATIONS}, but no {' and no '.join(absent)}")
    return found[0]


def _read_annotations(folder: Folder, ids: Iterable[str]) -> tuple[list[str], Counter[str]]:
    """Digest of each annotation file ("" when it is missing), and the number of objects of each class."""
    digests, counts = [], Counter[str]()
    there = {entry.base_name for entry in entries(folder / ANNOTATIONS)}
    for name in (f"{image_id}.xml" for image_id in ids):
        content = folder.read_bytes(f"{ANNOTATIONS}/{name}") if name in there else b""
        digests.append(hashlib.sha256(content).hexdigest() if name in there else "")
        try:
            counts.update(item.name for item in parse(content).objects)
        except ValueError:
            continue  # the report of the shards lists the broken files
    return digests, counts
