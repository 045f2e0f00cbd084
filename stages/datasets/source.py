"""Annotated images to be sharded: what a data set must tell, whatever its layout.

A reader lists the images of one split in their order and says what is annotated, or which file says it. Nothing
here opens an image: `image_row` does, for all layouts alike.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pyarrow import fs

from pipeline.errors import PipelineError
from pipeline.external.kept import kept
from pipeline.external.snapshot import seen
from pipeline.external.stamp import FilesRead, stamp_of
from pipeline.folder import Folder
from pipeline.stage import Stage, execution
from stages.datasets.annotation import AS_NAMED, Annotation, Naming
from stages.datasets.defects import Defect, Kind
from stages.datasets.image_check import SUFFIXES


@dataclass(frozen=True, kw_only=True)
class ListedImage:
    """One image of a split."""

    source: str
    """Name of the data set."""

    folder: Folder
    image_id: str
    image_file: str
    """Path inside the folder."""

    found: bool
    """Whether there is a file of that name."""

    annotation_file: str
    """Where its objects stand."""

    annotation: Annotation | None = None
    parse: Callable[[bytes], Annotation] | None = None
    """Reads that file, where `annotation` is not given; ValueError when it is broken."""

    naming: Naming = AS_NAMED
    skip_empty: bool = False

    def defect(self, kind: Kind, file: str, detail: str, number: int | None = None) -> Defect:
        return Defect(kind=kind, source=self.source, file=file, detail=detail, object=number)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The images of a split, each once, and what is wrong with the lists themselves."""

    images: tuple[ListedImage, ...]
    objects_per_class: Mapping[str, int]
    """By the data set's own names."""

    defects: tuple[Defect, ...] = ()
    repeated: int = 0
    """Lines or entries that name an image again."""

    orphans: int = 0
    """Annotated boxes of images that are not listed."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a split holds, as far as can be told without opening an image."""

    digest: str
    objects_per_class: Mapping[str, int]
    """By the data set's own names, sorted."""

    ids: Sequence[str]
    """Of the images, in the order of the split, repetitions included."""


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """One split of one data set: on disk below `root`, or in the result of the stage `within`."""

    name: str
    """Written into every row. Sets of one graph need distinct names, for `root` tells nothing apart."""

    split: str
    within: Stage | None = None
    naming: Naming = AS_NAMED
    skip_empty: bool = False
    """Leave out images without objects, as the original does in training on ILSVRC."""

    root: str = execution("")
    """A path or URI; it is the content that counts, see `digest`."""

    remedy: str = execution("")
    """How to come by the data set, for who does not have it."""

    @abstractmethod
    def located(self, result: Folder | None = None) -> Folder:
        """The data set's folder; `result` is that of `within`. PipelineError when there is none."""

    @abstractmethod
    def files_read(self, folder: Folder) -> FilesRead:
        """What a survey depends on."""

    @abstractmethod
    def surveyed(self, folder: Folder) -> Survey:
        """What the split holds, read from its files. PipelineError when parts are missing or the split is empty."""

    @abstractmethod
    def listing(self, folder: Folder) -> Listing:
        """All images of the split."""

    @abstractmethod
    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        """Files where the layout has its images and annotations, and what one is called that no split names."""

    def survey(self) -> Survey:
        """What the split of a data set on disk holds, for plans: its files are read when one has changed."""
        return seen(("survey", repr(self)), self._survey)

    def _survey(self) -> Survey:
        folder = self.located()
        stamp = stamp_of(folder, self.files_read(folder))
        return Survey(**kept(f"{self!r} in {folder.uri}", type(self), stamp, lambda: asdict(self.surveyed(folder))))

    def digest(self) -> str:
        """Digest of what is read from outside the store: ids, annotations by content, images by name and size."""
        return "" if self.within else self.survey().digest

    def renamed(self, objects_per_class: Mapping[str, int]) -> Counter[str]:
        """The same counts by the names of the shards, without what is left out on request."""
        counts = Counter[str]()
        for theirs, number in objects_per_class.items():
            if ours := self.naming.ours(theirs):
                counts[ours] += number
        return counts


def discover_classes(sources: Iterable[Source]) -> tuple[str, ...]:
    """All class names in the annotations of some splits on disk, sorted."""
    return tuple(sorted({name for source in sources for name in source.renamed(source.survey().objects_per_class)}))


def given_folder(source: Source, result: Folder | None) -> Folder:
    """Where a source is to be looked for. PipelineError when nothing is said, or nothing is there."""
    if result is None and not source.root:
        raise PipelineError(f"data set {source.name!r}: no folder is given; name one with --data or SSDPIPE_DATA")
    place = result or Folder.at(source.root)
    if not place.exists():
        raise missing(source, f"there is no folder {place.uri}")
    return place


def missing(source: Source, looked: str) -> PipelineError:
    """What to raise when a data set is not there; `looked` says what was looked for, and where."""
    if not source.remedy:
        return PipelineError(f"{looked}; name the data set's folder with --data or SSDPIPE_DATA")
    return PipelineError(f"data set {source.name} is missing: {looked}\n{source.remedy}")


def entries(folder: Folder) -> list[fs.FileInfo]:
    """What lies directly in a folder, by name; nothing when the folder is absent."""
    found = folder.filesystem.get_file_info(fs.FileSelector(folder.path, allow_not_found=True))
    return sorted(found, key=lambda entry: str(entry.base_name))


def image_entries(folder: Folder) -> list[fs.FileInfo]:
    """The image files directly in a folder."""
    return [file for file in entries(folder) if Path(str(file.base_name)).suffix.lower() in SUFFIXES]


def repeated_ids(source: Source, file: str, ids: Iterable[str]) -> tuple[Defect, ...]:
    """One defect for each time that an id is said again."""
    return tuple(
        Defect(kind=Kind.DUPLICATE_ID, source=source.name, file=file, detail=f"{image_id}, {number} times")
        for image_id, number in Counter(ids).items()
        for _ in range(number - 1)
    )


def digest_of(lines: Iterable[str]) -> str:
    """SHA-256 of some lines."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
