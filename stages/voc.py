"""Folders in the layout of PASCAL VOC: where the parts lie, what a split lists, and its digest.

Annotations/<id>.xml, JPEGImages/<id>.<jpg, png, ...>, ImageSets/Main/<split>.txt with one id per line.
Nothing here opens an image.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from pyarrow import fs

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.stage import Stage, execution
from stages.image_check import SUFFIXES
from stages.voc_annotation import parse

ANNOTATIONS, IMAGES, SPLITS = "Annotations", "JPEGImages", "ImageSets/Main"


@dataclass(frozen=True, kw_only=True)
class VocFolder:
    """One split of one data set: on disk below `root`, or in the result of the stage `within`."""

    name: str
    """Written into every row. Sets of one graph need distinct names, for `root` tells nothing apart."""

    split: str
    folder: str = ""
    """Sub-folder of the place, such as VOC2012; needed only where there are several."""

    within: Stage | None = None
    root: str = execution("")
    """A path or URI; it is the content that counts, see `digest`."""

    def located(self, result: Folder | None = None) -> Folder:
        """The folder that holds Annotations; `result` is that of `within`. PipelineError when there is none."""
        if result is None and not self.root:
            raise PipelineError(f"data set {self.name!r}: no folder is given; name one with --data or SSDPIPE_DATA")
        return _locate(result or _folder(self.root), self.folder)

    def survey(self) -> Survey:
        """What the split of a data set on disk holds. PipelineError when parts are missing or the split is empty."""
        folder = self.located()
        return _survey(folder, self.split, _stamp(folder, self.split))

    def digest(self) -> str:
        """Digest of what is read from outside the store: ids, annotations by content, images by name and size."""
        return "" if self.within else self.survey().digest


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a split holds, as far as can be told without opening an image."""

    digest: str
    objects_per_class: Mapping[str, int]
    """Counts of all class names in the readable annotations, sorted by name."""


def annotations_below(root: str) -> Folder:
    """The data set at a path or URI, for its annotations and splits only: images need not be there."""
    return _locate(_folder(root), "", parts=(SPLITS,))


def discover_classes(sources: Iterable[VocFolder]) -> tuple[str, ...]:
    """All class names in the annotations of some splits on disk, sorted."""
    return tuple(sorted({name for source in sources for name in source.survey().objects_per_class}))


def listed_ids(folder: Folder, split: str) -> list[str]:
    """Ids in the order of the split file, repetitions included."""
    name = f"{SPLITS}/{split}.txt"
    if not folder.exists(name):
        there = [
            str(file.base_name).removesuffix(".txt")
            for file in _entries(folder / SPLITS)
            if file.base_name.endswith(".txt")
        ]
        raise PipelineError(f"{folder.uri} has no split {split!r} ({name}); {suggestion(split, there)}")
    text = folder.read_bytes(name).decode(errors="replace").removeprefix("\ufeff")
    ids = [line.strip() for line in text.splitlines() if line.strip()]
    if not ids:
        raise PipelineError(f"split {split!r} of {folder.uri} is empty: {name} lists no image")
    return ids


def image_files(folder: Folder) -> dict[str, fs.FileInfo]:
    """Image id to its file; where an id has several, the first in the order of SUFFIXES counts."""
    order = {suffix: place for place, suffix in enumerate(SUFFIXES)}
    files = [file for file in _entries(folder / IMAGES) if Path(str(file.base_name)).suffix.lower() in order]
    if not files:
        raise PipelineError(f"{folder.uri}/{IMAGES} holds no image (looked for {', '.join(SUFFIXES)})")
    files.sort(key=lambda file: (-order[Path(str(file.base_name)).suffix.lower()], file.base_name))
    return {Path(file.base_name).stem: file for file in files}


def count_classes(folder: Folder, ids: Iterable[str]) -> Counter[str]:
    """Objects of each class name in the annotations of `ids`; broken or missing files count nothing."""
    return _read_annotations(folder, ids)[1]


def suggestion(wrong: str, there: Iterable[str]) -> str:
    """ "did you mean ...? There are: ..." for a name that does not exist."""
    known = sorted(there)
    near = get_close_matches(wrong.lower(), [name.lower() for name in known], n=1)
    meant = next((name for name in known if near and name.lower() == near[0]), None)
    return (f"did you mean {meant!r}? " if meant else "") + f"There are: {', '.join(known) or 'none'}"


def _folder(root: str) -> Folder:
    return Folder(root if "://" in root else str(Path(root).expanduser().resolve()))


def _locate(place: Folder, name: str, parts: tuple[str, ...] = (IMAGES, SPLITS)) -> Folder:
    if not place.exists():
        raise PipelineError(f"there is no folder {place.uri}; name the data set's folder with --data or SSDPIPE_DATA")
    found = _candidates(place, name)
    if len(found) > 1:
        raise PipelineError(
            f"{place.uri} holds several data sets: {', '.join(folder.uri for folder in found)}; name one of them"
        )
    if not found:
        wanted = f"{name}/{ANNOTATIONS}" if name else f"{ANNOTATIONS}, VOC2007/{ANNOTATIONS}"
        raise PipelineError(
            f"{place.uri} is no data set in VOC layout: looked for {wanted} in it, in its folders and in VOCdevkit"
        )
    if missing := [part for part in parts if not found[0].exists(part)]:
        raise PipelineError(f"{found[0].uri} has {ANNOTATIONS}, but no {' and no '.join(missing)}")
    return found[0]


def _candidates(place: Folder, name: str) -> list[Folder]:
    if place.exists(ANNOTATIONS) and name in ("", place.uri.rstrip("/").rpartition("/")[2]):
        return [place]
    parents = [folder for folder in (place, place / "VOCdevkit") if folder.exists()]
    children = [parent / entry.base_name for parent in parents for entry in _entries(parent)]
    return [child for child in children if child.exists(ANNOTATIONS) and name in ("", child.uri.rpartition("/")[2])]


def _entries(folder: Folder) -> list[fs.FileInfo]:
    """What lies directly in a folder, by name; nothing when the folder is absent."""
    found = folder.filesystem.get_file_info(fs.FileSelector(folder.path, allow_not_found=True))
    return sorted(found, key=lambda entry: str(entry.base_name))


def _stamp(folder: Folder, split: str) -> str:
    """Changes whenever a file that `_survey` reads does: names, sizes and times are cheap to ask for."""
    split_file = folder.filesystem.get_file_info(f"{folder.path}/{SPLITS}/{split}.txt")
    files = [split_file, *_entries(folder / ANNOTATIONS), *_entries(folder / IMAGES)]
    return _digest(f"{file.base_name} {file.size} {file.mtime_ns}" for file in files)


@lru_cache(maxsize=16)
def _survey(folder: Folder, split: str, stamp: str) -> Survey:  # noqa: ARG001 (the stamp makes an old answer void)
    ids = listed_ids(folder, split)
    images = image_files(folder)
    if not any(image_id in images for image_id in ids):
        raise PipelineError(f"none of the {len(ids)} ids of split {split!r} has an image in {folder.uri}/{IMAGES}")
    digests, counts = _read_annotations(folder, ids)
    sizes = [f"{images[key].base_name} {images[key].size}" if key in images else "" for key in ids]
    return Survey(
        digest=_digest(f"{key} {digest} {size}" for key, digest, size in zip(ids, digests, sizes, strict=True)),
        objects_per_class=dict(sorted(counts.items())),
    )


def _read_annotations(folder: Folder, ids: Iterable[str]) -> tuple[list[str], Counter[str]]:
    """Digest of each annotation file ("" when it is missing), and the objects of each class name."""
    digests, counts = [], Counter[str]()
    there = {entry.base_name for entry in _entries(folder / ANNOTATIONS)}
    for name in (f"{image_id}.xml" for image_id in ids):
        content = folder.read_bytes(f"{ANNOTATIONS}/{name}") if name in there else b""
        digests.append(hashlib.sha256(content).hexdigest() if name in there else "")
        try:
            counts.update(item.name for item in parse(content).objects)
        except ValueError:
            continue  # the report of the shards tells which files are broken
    return digests, counts


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
