"""Readers of layouts with one XML file per image, in VOC's format: VOC itself and ILSVRC DET.

Tested in tests/stages/datasets/test_voc.py.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from stages.datasets.annotation import Annotation, UnreadableAnnotation
from stages.datasets.defects import Defect, Kind
from stages.datasets.source import ListedImage, Listing, Source, Survey, digest_of, repeated_ids
from stages.datasets.xml.voc_xml import parse


@dataclass(frozen=True, kw_only=True)
class ListedFiles:
    """The files of a listed image, as paths inside the folder."""

    image_id: str
    image_file: str
    found: bool
    """Whether the image file exists."""

    size: int
    """Size of the image file in bytes; 0 where there is none."""

    annotation_file: str
    annotated: bool
    """Whether the annotation file exists."""


@dataclass(frozen=True, kw_only=True)
class SplitFiles:
    """The images of a split, in the order of its list, repetitions included."""

    list_file: str
    images: Sequence[ListedFiles]
    column: bool = False
    """Whether a column of the list was passed over that its layout does not have."""


@dataclass(frozen=True, kw_only=True)
class XmlSource(Source):
    """One split of a data set with one XML file per image."""

    @abstractmethod
    def split_files(self, folder: Folder) -> SplitFiles:
        """The images of the split. Raises PipelineError when the list is missing, empty or unreadable."""

    @abstractmethod
    def has_annotation(self, image: ListedFiles) -> bool:
        """Whether the image should have an annotation; those of some test sets are not published."""

    def surveyed(self, folder: Folder) -> Survey:
        images = self.split_files(folder).images
        if not any(image.found for image in images):
            raise PipelineError(
                f"none of the {len(images)} ids of split {self.split!r} has an image in {folder.uri}; "
                f"looked for {images[0].image_file} and so on"
            )
        digests, counts, difficult = self._read(folder, images)
        lines = [
            f"{image.image_id} {digest} {image.image_file} {image.size if image.found else None}"
            for image, digest in zip(images, digests, strict=True)
        ]
        return Survey(
            digest=digest_of(lines),
            objects_per_class=dict(sorted(counts.items())),
            ids=[image.image_id for image in images],
            files=[image.image_file if image.found else "" for image in images],
            sizes=[image.size for image in images],
            difficult=difficult,
        )

    def listing(self, folder: Folder) -> Listing:
        found = self.split_files(folder)
        once = list({image.image_id: image for image in found.images}.values())
        column = Defect(kind=Kind.UNREAD, source=self.name, file=found.list_file, detail="second column of 1, 0 and -1")
        return Listing(
            images=tuple(self._listed(folder, image) for image in once),
            objects_per_class=self._read(folder, once)[1],
            defects=(
                *repeated_ids(self, found.list_file, (image.image_id for image in found.images)),
                *([column] if found.column else ()),
            ),
            repeated=len(found.images) - len(once),
        )

    def _listed(self, folder: Folder, image: ListedFiles) -> ListedImage:
        return ListedImage(
            source=self.name,
            folder=folder,
            image_id=image.image_id,
            image_file=image.image_file,
            found=image.found,
            annotation_file=image.annotation_file,
            annotation=None if self.has_annotation(image) else Annotation(size=None, objects=()),
            parse=parse,
            naming=self.naming,
            skip_empty=self.skip_empty,
        )

    def _read(self, folder: Folder, images: Sequence[ListedFiles]) -> tuple[list[str], Counter[str], int]:
        """Digest of each annotation file ("" when there is none), and the numbers of objects: by class, difficult."""
        digests, counts, difficult = [], Counter[str](), 0
        for image in images:
            if not (image.annotated and self.has_annotation(image)):
                digests.append("")
                continue
            content = folder.read_bytes(image.annotation_file)
            digests.append(hashlib.sha256(content).hexdigest())
            try:
                objects = parse(content).objects
            except UnreadableAnnotation:
                continue  # the report of the shards lists the broken files
            counts.update(item.name for item in objects)
            difficult += sum(item.difficult for item in objects)
        return digests, counts, difficult
