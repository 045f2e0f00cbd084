"""Reader of the layout of ILSVRC DET.

Files are Annotations/DET/<part>/<id>.xml, Data/DET/<part>/<id>.JPEG and ImageSets/DET/<split>.txt.

A line of a list is `<id>`, `<id> <number>`, or two paths, `Data/DET/....JPEG Annotations/DET/....xml`. Ids in folders
(n02672831/n02672831_11478) are in part train, others in val, unless they begin with train/, val/ or test/. val1 and
val2 are not official lists: put your own beside the others. The XML is VOC's, with WordNet ids as names and corners
counted from 0; as in the original, nothing is subtracted. The original skips images without boxes in training:
`skip_empty`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath

from pyarrow import fs

from pipeline.errors import PipelineError
from pipeline.external.stamp import FilesRead
from pipeline.folder import Folder
from pipeline.suggestion import suggestion
from ssd_core.spec.ilsvrc_vocabulary import ILSVRC_SYNSETS
from stages.datasets.annotation import Annotation, Naming
from stages.datasets.defects import Kind
from stages.datasets.source import ListedImage, Listing, Source, Survey, digest_of, entries, given_folder, repeated_ids
from stages.datasets.voc_xml import parse

ANNOTATIONS, IMAGES, SPLITS = "Annotations/DET", "Data/DET", "ImageSets/DET"
PARTS = ("train", "val", "test")
BY_NAME = Naming(rename=tuple(ILSVRC_SYNSETS.items()))


@dataclass(frozen=True, kw_only=True)
class IlsvrcDet(Source):
    """One split of ILSVRC DET."""

    naming: Naming = BY_NAME

    def located(self, result: Folder | None = None) -> Folder:
        place = given_folder(self, result)
        for folder in (place, place / "ILSVRC"):
            if folder.exists(SPLITS):
                return folder
        raise PipelineError(f"{place.uri} does not hold ILSVRC DET: looked for {SPLITS} and ILSVRC/{SPLITS}")

    def files_read(self, folder: Folder) -> FilesRead:
        parents = _parents(_listed(folder, self.split))
        return FilesRead(
            contents=[f"{SPLITS}/{self.split}.txt", *(f"{ANNOTATIONS}/{parent}" for parent in parents)],
            sizes=[f"{IMAGES}/{parent}" for parent in parents],
        )

    def surveyed(self, folder: Folder) -> Survey:
        names = _listed(folder, self.split)
        found = _found(folder, names)
        if not any(name in found for name in names):
            raise PipelineError(f"none of the {len(names)} images of split {self.split!r} is in {folder.uri}/{IMAGES}")
        digests, counts = _read_annotations(folder, names)
        sizes = (f"{name} {found[name].size if name in found else None}" for name in names)
        lines = (f"{size} {digest}" for size, digest in zip(sizes, digests, strict=True))
        return Survey(
            digest=digest_of(lines),
            objects_per_class=dict(sorted(counts.items())),
            ids=names,
            files=[f"{IMAGES}/{name}.JPEG" if name in found else "" for name in names],
            sizes=[found[name].size if name in found else 0 for name in names],
        )

    def listing(self, folder: Folder) -> Listing:
        names = _listed(folder, self.split)
        once, found = list(dict.fromkeys(names)), _found(folder, names)
        return Listing(
            images=tuple(self._image(folder, name, found) for name in once),
            objects_per_class=_read_annotations(folder, once)[1],
            defects=repeated_ids(self, f"{SPLITS}/{self.split}.txt", names),
            repeated=len(names) - len(once),
        )

    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        for parent in _parents(_listed(folder, self.split)):
            for top, kind in ((IMAGES, Kind.ORPHAN_IMAGE), (ANNOTATIONS, Kind.ORPHAN_FILE)):
                yield from ((kind, f"{top}/{parent}/{file.base_name}") for file in entries(folder / f"{top}/{parent}"))

    def _image(self, folder: Folder, name: str, found: dict[str, fs.FileInfo]) -> ListedImage:
        return ListedImage(
            source=self.name,
            folder=folder,
            image_id=name,
            image_file=f"{IMAGES}/{name}.JPEG",
            found=name in found,
            annotation_file=f"{ANNOTATIONS}/{name}.xml",
            annotation=Annotation(size=None, objects=()) if name.startswith("test/") else None,
            parse=parse,
            naming=self.naming,
            skip_empty=self.skip_empty,
        )


def splits_of(folder: Folder) -> list[str]:
    """Names of the split lists."""
    files = [str(entry.base_name) for entry in entries(folder / SPLITS)]
    return [name.removesuffix(".txt") for name in files if name.endswith(".txt")]


def _listed(folder: Folder, split: str) -> list[str]:
    """`<part>/<id>` of each line of the list, repetitions included."""
    file = f"{SPLITS}/{split}.txt"
    if not folder.exists(file):
        raise PipelineError(f"{folder.uri} has no list {file}; {suggestion(split, splits_of(folder))}")
    lines = [line.split() for line in folder.read_bytes(file).decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        raise PipelineError(f"split {split!r} of {folder.uri} is empty: {file} lists no image")
    return [_name(line[0], split) for line in lines]


def _name(entry: str, split: str) -> str:
    name = normpath(entry).removeprefix("/").removeprefix(f"{IMAGES}/").removesuffix(".JPEG")
    above, inside, _ = name.partition("/")
    if above in PARTS:
        return name
    return f"{'train' if inside else 'test' if split.startswith('test') else 'val'}/{name}"


def _parents(names: list[str]) -> list[str]:
    """Parent folders of these names, each once."""
    return list(dict.fromkeys(name.rpartition("/")[0] for name in names))


def _found(folder: Folder, names: list[str]) -> dict[str, fs.FileInfo]:
    """Image files by `<part>/<id>`; lists each folder once."""
    files: dict[str, fs.FileInfo] = {}
    for parent in _parents(names):
        for file in entries(folder / f"{IMAGES}/{parent}"):
            if str(file.base_name).endswith(".JPEG"):
                files[f"{parent}/{Path(file.base_name).stem}"] = file
    return files


def _read_annotations(folder: Folder, names: list[str]) -> tuple[list[str], Counter[str]]:
    """Digest of each annotation file ("" when it is missing), and the number of objects of each class."""
    digests, counts = [], Counter[str]()
    parents = _parents(names)
    there = {f"{parent}/{file.base_name}" for parent in parents for file in entries(folder / f"{ANNOTATIONS}/{parent}")}
    for name in (f"{name}.xml" for name in names):
        content = folder.read_bytes(f"{ANNOTATIONS}/{name}") if name in there else b""
        digests.append(hashlib.sha256(content).hexdigest() if name in there else "")
        try:
            counts.update(item.name for item in parse(content).objects)
        except ValueError:
            continue  # the report of the shards lists the broken files
    return digests, counts
