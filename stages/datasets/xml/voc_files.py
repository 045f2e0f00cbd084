"""Image and annotation files in VOC layout, and those of the images that a split lists.

Images may lie in subfolders of JPEGImages. Their annotations then lie in equal subfolders of Annotations, or, if no
other image has the name, in Annotations itself. The id of an image is its path below JPEGImages without the extension;
with it where listed images differ in nothing else.
"""

from __future__ import annotations

from collections import Counter
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
        alike = Counter(stem(path) for path in {*paths} if path and not self._by_id)
        images = [self._image(name, path, alike) for name, path in zip(found.names, paths, strict=True)]
        return SplitFiles(list_file=found.file, images=images, column=found.column)

    @cached_property
    def _by_id(self) -> dict[str, str]:
        """Path of each image by its id; empty when images differ in their extension only."""
        start = len(IMAGES) + 1
        paths = {stem(path[start:]): path for path in self.images}
        return paths if len(paths) == len(self.images) else {}

    @cached_property
    def _names(self) -> ImageNames:
        return ImageNames(self.images, places=(IMAGES,))

    def _find(self, name: str) -> str | None:
        """Path of the image that a list means; most lists hold ids, which need no rule."""
        return self._by_id.get(name) or self._names.find(_inner(name))

    def _image(self, name: str, path: str | None, alike: Counter[str]) -> ListedFiles:
        inner = path[len(IMAGES) + 1 :] if path else _inner(name)
        image_id = inner if path and alike[stem(path)] > 1 else stem(inner)
        annotation = self.annotations.get(image_id) or self._annotation(inner, path)
        return ListedFiles(
            image_id=image_id,
            image_file=path or f"{IMAGES}/{inner}",
            found=path is not None,
            size=self.images.get(path or "", 0),
            annotation_file=annotation or f"{ANNOTATIONS}/{stem(inner)}.xml",
            annotated=annotation is not None,
        )

    def _annotation(self, inner: str, path: str | None) -> str | None:
        """Path of an annotation that is not called as the id of its image: a.jpg.xml, or one in no subfolder."""
        alone = stem(inner).rpartition("/")[2]
        keys = [inner, stem(inner), *([alone] if path and self._find(alone) == path else [])]
        return next((self.annotations[key] for key in keys if key in self.annotations), None)


def _inner(name: str) -> str:
    """A listed name as a path below JPEGImages: it may begin with that folder, or with folders above it."""
    return f"/{normalised(name)}".rpartition(f"/{IMAGES}/")[2].removeprefix("/")
