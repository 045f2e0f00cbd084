"""Reader of the YOLO layout: a text file of labels for each image, and a YAML or a file of names for the classes.

yolo_config.py finds classes and splits, yolo_images.py the files of a split, yolo_labels.py parses the labels. An image
without a label file, or with an empty one, has no objects; a split without any label file is refused.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pipeline.errors import PipelineError
from pipeline.external.stamp import FilesRead
from pipeline.folder import Folder
from pipeline.suggestion import suggestion
from stages.datasets.annotation import Annotation
from stages.datasets.defects import Defect, Kind
from stages.datasets.files_below import files_below, is_image
from stages.datasets.source import ListedImage, Listing, Source, Survey, digest_of, given_folder, repeated_ids
from stages.datasets.yolo.yolo_config import YoloSet, find_yolo
from stages.datasets.yolo.yolo_folders import LABELS, NAMES_FILES, label_files
from stages.datasets.yolo.yolo_images import YoloImage, YoloSplit, is_text, lists_of, searched_folders, split_files
from stages.datasets.yolo.yolo_labels import LabelFormat, parse_labels

EMPTY = Annotation(size=None, objects=())


@dataclass(frozen=True, kw_only=True)
class YoloFolder(Source):
    """One split of a data set in YOLO layout."""

    def located(self, result: Folder | None = None) -> Folder:
        folder = given_folder(self, result)
        _found(folder)
        return folder

    def files_read(self, folder: Folder) -> FilesRead:
        found = _found(folder)
        places = _places(folder, found, self.split)
        folders = searched_folders(folder, places)
        return FilesRead(contents=[found.file, *lists_of(places), *folders], sizes=[])

    def surveyed(self, folder: Folder) -> Survey:
        found, files = self._read(folder)
        labels = _read_labels(folder, files, found.form)
        lines = [
            f"{image.file} {image.bytes if image.found else None} {labels.digests.get(image.labels, '')}"
            for image in files.images
        ]
        names = (f"{index} {name}" for index, name in sorted(found.form.names.items()))
        return Survey(
            digest=digest_of([self.split, *names, str(found.form.keypoints), *lines]),
            objects_per_class=dict(sorted(labels.counts.items())),
            ids=[image.file for image in files.images],
            files=[image.file if image.found else "" for image in files.images],
            sizes=[image.bytes for image in files.images],
        )

    def listing(self, folder: Folder) -> Listing:
        found, files = self._read(folder)
        labels = _read_labels(folder, files, found.form)
        once = list({image.file: image for image in files.images}.values())
        orphans = self._orphans(folder, files, found.form)
        return Listing(
            images=tuple(self._listed(folder, image, found.form) for image in once),
            objects_per_class=labels.counts,
            defects=(
                *repeated_ids(self, found.splits[self.split][0], (image.file for image in files.images)),
                *(self._defect(Kind.UNREAD, found.file, note) for note in found.notes),
                *(self._defect(Kind.ORPHAN_ANNOTATION, file, f"no image, {number} boxes") for file, number in orphans),
            ),
            repeated=len(files.images) - len(once),
            orphans=sum(number for _, number in orphans),
        )

    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        paths = dict(files_below(folder))
        images = list(filter(is_image, paths))
        yield from ((Kind.ORPHAN_IMAGE, path) for path in images)
        labels = {file for path in images for file in label_files(path)}
        yield from ((Kind.ORPHAN_FILE, path) for path in paths if path in labels or _is_label_file(path))

    def _read(self, folder: Folder) -> tuple[YoloSet, YoloSplit]:
        """The data set and the files of the split. Raises PipelineError when there is no image or no label file."""
        found = _found(folder)
        places = _places(folder, found, self.split)
        files = split_files(folder, places)
        looked = ", ".join(place or "the folder itself" for place in places)
        if not any(image.found for image in files.images):
            listed = f"none of the {len(files.images)} listed images" if files.images else "no image"
            raise PipelineError(f"split {self.split!r} of {folder.uri}: {listed} found; looked in: {looked}")
        if not any(image.labelled for image in files.images):
            first = files.images[0]
            raise PipelineError(
                f"split {self.split!r} of {folder.uri}: none of the {len(files.images)} images has a label file; "
                f"for {first.file}, looked for {' and '.join(label_files(first.file))}"
            )
        return found, files

    def _orphans(self, folder: Folder, files: YoloSplit, form: LabelFormat) -> list[tuple[str, int]]:
        """Label files without an image and their numbers of boxes; text files without a box are something else."""
        read = [(file, len(parse_labels(folder.read_bytes(file), file, form).objects)) for file in files.orphans]
        return [(file, number) for file, number in read if number]

    def _listed(self, folder: Folder, image: YoloImage, form: LabelFormat) -> ListedImage:
        return ListedImage(
            source=self.name,
            folder=folder,
            image_id=image.file,
            image_file=image.file,
            found=image.found,
            annotation_file=image.labels,
            annotation=None if image.labelled else EMPTY,
            parse=partial(parse_labels, file=f"{folder.uri}/{image.labels}", form=form),
            naming=self.naming,
            skip_empty=self.skip_empty,
        )

    def _defect(self, kind: Kind, file: str, detail: str) -> Defect:
        return Defect(kind=kind, source=self.name, file=file, detail=detail)


@dataclass(frozen=True, kw_only=True)
class _Labels:
    """What the label files of a split hold."""

    counts: Counter[str]
    """Number of objects of each class."""

    digests: dict[str, str]
    """Digest of each label file."""


def _read_labels(folder: Folder, files: YoloSplit, form: LabelFormat) -> _Labels:
    """Read the label files. Raises PipelineError when they have lines, but no box."""
    counts, digests, wrong = Counter[str](), dict[str, str](), list[str]()
    for file in dict.fromkeys(image.labels for image in files.images if image.labelled):
        content = folder.read_bytes(file)
        annotation = parse_labels(content, f"{folder.uri}/{file}", form)
        digests[file] = hashlib.sha256(content).hexdigest()
        counts.update(item.name for item in annotation.objects)
        wrong += (f"{file}, {remark.detail}" for remark in annotation.remarks if remark.kind is Kind.UNREADABLE_LINE)
    if wrong and not counts:
        raise PipelineError(f"{folder.uri}: none of {len(wrong)} lines of labels holds a box: {wrong[0]}")
    return _Labels(counts=counts, digests=digests)


def _is_label_file(path: str) -> bool:
    """Whether a text file lies in a folder of labels; programs that write labels put the names beside them."""
    *above, name = path.split("/")
    return LABELS in above and is_text(name) and name != NAMES_FILES[0]


def _found(folder: Folder) -> YoloSet:
    if found := find_yolo(folder):
        return found
    raise PipelineError(
        f"{folder.uri} is not a data set in YOLO layout: looked for a .yaml with names and train, and for classes.txt "
        "or obj.names with images and labels"
    )


def _places(folder: Folder, found: YoloSet, split: str) -> list[str]:
    """Folders and lists of a split. Raises PipelineError when there is no such split."""
    if split in found.absent:
        raise PipelineError(
            f"split {split!r} does not exist: {folder.uri}/{found.file} names {found.absent[split]}, but "
            f"{folder.uri} does not hold it; {suggestion(split, found.splits)}"
        )
    if split not in found.splits:
        raise PipelineError(f"{folder.uri} has no split {split!r} ({found.file}); {suggestion(split, found.splits)}")
    return list(found.splits[split])
