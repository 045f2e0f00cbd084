"""Sources of annotated images: the interface that the reader of every layout implements.

A reader lists the images of one split in order, each with its annotation or the file that holds it. Readers never open
an image: `stages.shards.image_row` does so for all layouts.
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
from pipeline.external.snapshot import remembered
from pipeline.external.stamp import FilesRead, stamp_of
from pipeline.external.survey_cache import cached
from pipeline.folder import Folder
from pipeline.stage import Stage, execution
from pipeline.zipped import ARCHIVE, ZippedFolder
from stages.datasets.annotation import AS_NAMED, Annotation, Naming
from stages.datasets.defects import Defect, Kind
from stages.datasets.image_check import SUFFIXES


@dataclass(frozen=True, kw_only=True)
class ListedImage:
    """One image of a split."""

    source: str
    """Name of the data set that the image belongs to."""

    folder: Folder
    image_id: str
    image_file: str
    """Path inside the folder."""

    found: bool
    """Whether there is a file of that name."""

    annotation_file: str
    """Place of its annotation: a path inside the folder, or a file and the entry in it."""

    annotation: Annotation | None = None
    parse: Callable[[bytes], Annotation] | None = None
    """Parses the content of that file where `annotation` is None; raises ValueError when it is broken."""

    naming: Naming = AS_NAMED
    skip_empty: bool = False

    def defect(self, kind: Kind, file: str, detail: str, number: int | None = None) -> Defect:
        return Defect(kind=kind, source=self.source, file=file, detail=detail, object=number)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The images of a split, each once, and the defects of the list itself."""

    images: tuple[ListedImage, ...]
    objects_per_class: Mapping[str, int]
    """By the class names of the data set."""

    defects: tuple[Defect, ...] = ()
    repeated: int = 0
    """Number of lines or entries that repeat an image."""

    orphans: int = 0
    """Number of annotated boxes whose image is not listed."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a split holds, as far as is known without opening an image."""

    digest: str
    objects_per_class: Mapping[str, int]
    """By the class names of the data set, sorted."""

    ids: Sequence[str]
    """Image ids in the order of the split, repetitions included."""

    files: Sequence[str]
    """Image file of each id, as a path inside the folder; empty where there is none."""

    sizes: Sequence[int]
    """Size of each image file in bytes; 0 where there is none."""

    crowds: int = 0
    """Number of objects that are crowds, which are never trained on."""

    difficult: int = 0
    """Number of difficult objects that are no crowds."""

    def objects_to_train(self, *, difficult: bool) -> int:
        """Number of objects to train on, with or without difficult ones."""
        return sum(self.objects_per_class.values()) - self.crowds - (0 if difficult else self.difficult)


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """One split of one data set: on disk below `root`, or in the result of the stage `within`."""

    name: str
    """Written into every row. Data sets of one graph need distinct names, since `root` does not distinguish them."""

    split: str
    within: Stage | None = None
    naming: Naming = AS_NAMED
    skip_empty: bool = False
    """Skip images without objects, as the original does when it trains on ILSVRC."""

    root: str = execution("")
    """A path or URI. Not part of the key: the content of the data set is, by `digest`."""

    remedy: str = execution("")
    """Lines added to the error for a missing data set: how to get it."""

    @abstractmethod
    def located(self, result: Folder | None = None) -> Folder:
        """Locate the data set; `result` is that of the stage `within`. Raises PipelineError when it is missing."""

    @abstractmethod
    def files_read(self, folder: Folder) -> FilesRead:
        """Files that a survey depends on."""

    @abstractmethod
    def surveyed(self, folder: Folder) -> Survey:
        """Survey the split by reading its files. Raises PipelineError when parts are missing or the split is empty."""

    @abstractmethod
    def listing(self, folder: Folder) -> Listing:
        """List all images of the split."""

    @abstractmethod
    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        """Files in the folders of images and annotations, each with its kind of defect if no split lists it."""

    def survey(self) -> Survey:
        """Survey of a data set on disk, for plans: cached, and repeated only when one of its files has changed."""
        return remembered(("survey", repr(self)), self._survey)

    def _survey(self) -> Survey:
        folder = self.located()
        stamp = stamp_of(folder, self.files_read(folder))
        return Survey(**cached(f"{self!r} in {folder.uri}", type(self), stamp, lambda: asdict(self.surveyed(folder))))

    def digest(self) -> str:
        """Digest of the data outside the store: ids, content of annotations, names and sizes of images."""
        return "" if self.within else self.survey().digest

    def renamed(self, objects_per_class: Mapping[str, int]) -> Counter[str]:
        """Counts by the class names of the shards, without nameless objects and classes that `naming` leaves out."""
        counts = Counter[str]()
        for theirs, number in objects_per_class.items():
            if theirs and (ours := self.naming.ours(theirs)):
                counts[ours] += number
        return counts


def discover_classes(sources: Iterable[Source]) -> tuple[str, ...]:
    """All class names in the annotations of these splits on disk, sorted."""
    return tuple(sorted({name for source in sources for name in source.renamed(source.survey().objects_per_class)}))


def given_folder(source: Source, result: Folder | None) -> Folder:
    """Folder in which to look for a source; where the result of a stage is an archive, its contents.

    Raises PipelineError when none is given or it does not exist.
    """
    if result is None and not source.root:
        raise PipelineError(f"data set {source.name!r}: no folder was given; name one with --data or SSDPIPE_DATA")
    if result and result.is_file(ARCHIVE):
        return ZippedFolder.of(result)
    place = result or Folder.at(source.root)
    if not place.exists():
        raise missing(source, f"there is no folder {place.uri}")
    return place


def missing(source: Source, looked: str) -> PipelineError:
    """The error to raise for a missing data set; `looked` describes what was looked for, and where."""
    if not source.remedy:
        return PipelineError(f"{looked}; check the path, or name the data set's folder with --data or SSDPIPE_DATA")
    return PipelineError(f"data set {source.name} is missing: {looked}\n{source.remedy}")


def entries(folder: Folder) -> list[fs.FileInfo]:
    """Entries directly in a folder, sorted by name; empty when the folder does not exist.

    Raises PipelineError for a name that is not UTF-8.
    """
    try:
        return sorted(folder.entries(), key=lambda entry: str(entry.base_name))
    except UnicodeDecodeError as error:
        raise PipelineError(f"{folder.uri}: the file name {error.object!r} is not UTF-8; rename the file") from error


def file_names(folder: Folder) -> list[str]:
    """Names of the files directly in a folder, sorted; subfolders and dangling links are none."""
    return [str(entry.base_name) for entry in entries(folder) if entry.type == fs.FileType.File]


def image_entries(folder: Folder) -> list[fs.FileInfo]:
    """Image files directly in a folder, sorted by name."""
    return [file for file in entries(folder) if Path(str(file.base_name)).suffix.lower() in SUFFIXES]


def repeated_ids(source: Source, file: str, ids: Iterable[str]) -> tuple[Defect, ...]:
    """One defect for each repetition of an id."""
    return tuple(
        Defect(kind=Kind.DUPLICATE_ID, source=source.name, file=file, detail=f"{image_id}, {number} times; read once")
        for image_id, number in Counter(ids).items()
        for _ in range(number - 1)
    )


def digest_of(lines: Iterable[str]) -> str:
    """SHA-256 of the lines, as hexadecimal text."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
