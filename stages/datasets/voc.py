"""Reader of the layout of PASCAL VOC.

Annotations/<id>.xml, JPEGImages/<id>.<jpg, png, ...>, ImageSets/Main/<split>.txt with one id per line. An id may be a
path in subfolders of the first two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.external.stamp import FilesRead
from pipeline.folder import Folder
from stages.datasets.defects import Kind
from stages.datasets.files_below import files_below, folders_below
from stages.datasets.image_check import SUFFIXES
from stages.datasets.source import entries, given_folder, missing
from stages.datasets.voc_parts import ANNOTATIONS, IMAGES, SPLITS
from stages.datasets.xml.voc_files import VocFiles
from stages.datasets.xml.xml_source import ListedFiles, SplitFiles, XmlSource


@dataclass(frozen=True, kw_only=True)
class VocFolder(XmlSource):
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

    def files_read(self, folder: Folder) -> FilesRead:
        annotations = folders_below(folder, ANNOTATIONS, sizes_only=False) if self.annotated else ()
        images = folders_below(folder, IMAGES)
        return FilesRead(contents=[f"{SPLITS}/{self.split}.txt", *annotations], sizes=[*images])

    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        yield from ((Kind.ORPHAN_IMAGE, path) for path in VocFiles(folder).images)
        yield from ((Kind.ORPHAN_FILE, path) for path, _ in files_below(folder, ANNOTATIONS))

    def split_files(self, folder: Folder) -> SplitFiles:
        files = VocFiles(folder)
        if not files.images:
            raise PipelineError(f"{folder.uri}/{IMAGES} holds no image (looked for {', '.join(SUFFIXES)})")
        return files.listed(self.split)

    def has_annotation(self, image: ListedFiles) -> bool:  # noqa: ARG002 - none has, or all have
        return self.annotated


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
        raise PipelineError(
            f"{found[0].uri} has {ANNOTATIONS}, but no {' and no '.join(absent)}; "
            f"VOC has images in {IMAGES} and lists of their ids in {SPLITS}, such as train.txt and test.txt"
        )
    return found[0]
