"""Image and annotation files in VOC layout, and those of the images that a split lists.

Images may lie in subfolders of JPEGImages. Their annotations then lie in equal subfolders of Annotations, or, if no
other image has the name, in Annotations itself. The id of an image is its path below JPEGImages without the extension;
with it where listed images differ in nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pipeline.folder import Folder
from stages.datasets.files_below import files_below, images_below
from stages.datasets.reading.names import ImageNames, normalised, stem
from stages.datasets.voc_parts import ANNOTATIONS, IMAGES
from stages.datasets.xml.voc_lists import read_list
from stages.datasets.xml.xml_source import ListedFiles, SplitFiles


@dataclass(frozen=True)
class VocFiles:
    """All files of a folder that are images or annotations."""

    folder: Folder

    @cached_property
    def images(self) -> dict[str, int]:
        """Size in bytes of each image file, by path."""
        return images_below(self.folder, IMAGES)

    @cached_property
    def annotations(self) -> dict[str, str]:
        """Path of each annotation file, by its path below Annotations without the extension."""
        paths = [path for path, _ in files_below(self.folder, ANNOTATIONS)]
        start, end = len(ANNOTATIONS) + 1, -len(".xml")
        return {path[start:end]: path for path in paths if path.lower().endswith(".xml")}

    def listed(self, split: str) -> SplitFiles:
        """The images of a split; errors as in `read_list`."""
        found = read_list(self.folder, split, lambda name: bool(self._find(name)) or _inner(name) in self.annotations)
        paths = [self._find(name) for name in found.names]
        alike = Counter(stem(path) for path in {*paths} if path)
        images = [self._image(name, path, alike) for name, path in zip(found.names, paths, strict=True)]
        return SplitFiles(list_file=found.file, images=images, column=found.column)

    @cached_property
    def _names(self) -> ImageNames:
        return ImageNames(self.images, places=(IMAGES,))

    def _find(self, name: str) -> str | None:
        return self._names.find(_inner(name))

    def _image(self, name: str, path: str | None, alike: Counter[str]) -> ListedFiles:
        inner = path.removeprefix(f"{IMAGES}/") if path else _inner(name)
        image_id = inner if path and alike[stem(path)] > 1 else stem(inner)
        annotation = next((file for key in self._keys(inner, path) if (file := self.annotations.get(key))), None)
        return ListedFiles(
            image_id=image_id,
            image_file=path or f"{IMAGES}/{inner}",
            found=path is not None,
            size=self.images.get(path or "", 0),
            annotation_file=annotation or f"{ANNOTATIONS}/{stem(inner)}.xml",
            annotated=annotation is not None,
        )

    def _keys(self, inner: str, path: str | None) -> Iterator[str]:
        """Keys of `annotations` that may be of an image, the most specific first."""
        yield inner
        yield stem(inner)
        alone = stem(inner).rpartition("/")[2]
        if path and self._names.find(alone) == path:
            yield alone


def _inner(name: str) -> str:
    """A listed name as a path below JPEGImages: it may begin with that folder, or with folders above it."""
    return f"/{normalised(name)}".rpartition(f"/{IMAGES}/")[2].removeprefix("/")
