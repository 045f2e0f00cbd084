"""Reader of the layout of ILSVRC DET.

Files are Annotations/DET/<part>/<id>.xml, Data/DET/<part>/<id>.JPEG and ImageSets/DET/<split>.txt. val1 and val2 are
not official lists: put your own beside the others. The XML is VOC's, with WordNet ids as names and corners counted
from 0; as in the original, nothing is subtracted. The original skips images without boxes in training: `skip_empty`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.external.stamp import FilesRead
from pipeline.folder import Folder
from ssd_core.spec.ilsvrc_vocabulary import ILSVRC_SYNSETS
from stages.datasets.annotation import Naming
from stages.datasets.defects import Kind
from stages.datasets.source import entries, given_folder
from stages.datasets.xml.ilsvrc_files import ANNOTATIONS, IMAGES, SPLITS, listed_files, read_lines
from stages.datasets.xml.xml_source import ListedFiles, SplitFiles, XmlSource

BY_NAME = Naming(rename=tuple(ILSVRC_SYNSETS.items()))


@dataclass(frozen=True, kw_only=True)
class IlsvrcDet(XmlSource):
    """One split of ILSVRC DET."""

    naming: Naming = BY_NAME

    def located(self, result: Folder | None = None) -> Folder:
        place = given_folder(self, result)
        for folder in (place, place / "ILSVRC"):
            if folder.exists(SPLITS):
                return folder
        raise PipelineError(f"{place.uri} does not hold ILSVRC DET: looked for {SPLITS} and ILSVRC/{SPLITS}")

    def files_read(self, folder: Folder) -> FilesRead:
        lines = read_lines(folder, self.split)
        annotations = dict.fromkeys(f"{ANNOTATIONS}/{line.annotation.rpartition('/')[0]}" for line in lines)
        images = dict.fromkeys(f"{IMAGES}/{line.image.rpartition('/')[0]}" for line in lines)
        return FilesRead(contents=[f"{SPLITS}/{self.split}.txt", *annotations], sizes=[*images])

    def split_files(self, folder: Folder) -> SplitFiles:
        return listed_files(folder, self.split)

    def has_annotation(self, image: ListedFiles) -> bool:
        return not image.image_id.startswith("test/")

    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        read = self.files_read(folder)
        for kind, places in ((Kind.ORPHAN_IMAGE, read.sizes), (Kind.ORPHAN_FILE, read.contents[1:])):
            for place in places:
                yield from ((kind, f"{place}/{file.base_name}") for file in entries(folder / place))
