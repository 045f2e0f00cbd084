"""Recognise the layout of a folder, list its splits, and make the source of one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.suggestion import suggestion
from stages.datasets import voc
from stages.datasets.coco import coco_folder
from stages.datasets.coco.coco_folder import CocoFolder
from stages.datasets.csv_files import csv_table
from stages.datasets.csv_files.csv_boxes import CsvBoxes
from stages.datasets.ilsvrc import IlsvrcDet
from stages.datasets.published import published
from stages.datasets.source import Source
from stages.datasets.voc import VocFolder
from stages.datasets.voc_parts import SPLITS
from stages.datasets.xml import ilsvrc_files, voc_lists
from stages.datasets.yolo.yolo_config import find_yolo
from stages.datasets.yolo.yolo_folder import YoloFolder

TRAINING = ("trainval", "train", "train2017", "train2014")
TESTING = ("test", "val", "valid", "validation", "val2017", "val2014", "minival")
"""Default names of splits, in order of preference."""


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set on disk."""

    layout: str
    name: str
    root: str
    splits: tuple[str, ...]
    reader: Callable[..., Source]
    """Constructor of the layout's source, called with name, root and split."""

    def source(self, split: str) -> Source:
        return self.reader(name=self.name, root=self.root, split=split)

    def default_split(self, among: tuple[str, ...]) -> str:
        """The first of these names that is a split here, or the only split.

        If there is none, the first name is returned, which the reader then refuses.
        """
        other = self.splits[0] if len(self.splits) == 1 else among[0]
        return next((split for split in among if split in self.splits), other)


def find_data_set(root: str, layout: str = "") -> DataSet:
    """The data set at a path or URI, or in a CSV or JSON file; DIR/VOC2012 also names a set in DIR/VOCdevkit.

    Raises PipelineError when there is none, or when it does not have the given layout.
    """
    if layout and layout not in LAYOUTS:
        raise PipelineError(f"there is no layout {layout!r}; {suggestion(layout, LAYOUTS)}")
    if not root:
        raise PipelineError("no data set was given; name its folder with --data or SSDPIPE_DATA")
    if Path(root).is_file():
        return _of_file(Path(root).expanduser().resolve(), layout)
    if Path(root).suffix.lower() in (".csv", ".json") and not Folder.at(root).exists():
        raise PipelineError(f"there is no file {Folder.at(root).uri}; check the path")
    for name, look in LAYOUTS.items():
        if layout in ("", name) and (found := look(root)):
            return found
    if layout == "voc" or not Folder.at(root).exists():
        VocFolder(name=root, root=root, split="").located()  # raises the error that describes what is missing
    raise PipelineError(
        f"{root} is not a data set{f' in layout {layout}' if layout else ''}: looked for Annotations and "
        "ImageSets/Main (VOC), annotations/instances_<split>.json (COCO), ImageSets/DET (ILSVRC), data.yaml or "
        "classes.txt with labels (YOLO), and a .csv with the columns image, xmin, ymin, xmax, ymax, "
        f"class{_incomplete(root)}"
    )


def _of_file(file: Path, layout: str) -> DataSet:
    """The data set in one CSV or COCO JSON file; its images are sought below the folder of the file."""
    kind = {".csv": "csv", ".json": "coco"}.get(file.suffix.lower(), "")
    if not kind or layout not in ("", kind):
        raise PipelineError(
            f"{file} is a file{f', not a data set in layout {layout}' if layout else ''}: name a .csv with boxes, a "
            f".json in COCO's format, or the folder of the data set, such as {file.parent}"
        )
    if kind == "csv":
        splits = tuple(csv_table.splits_of(Folder(str(file.parent)), file.name))
        reader = partial(CsvBoxes, only=file.name)
        return DataSet(layout="csv", name=file.parent.name, root=str(file.parent), splits=splits, reader=reader)
    for root in (file.parent.parent, file.parent):
        if split := coco_folder.split_of_file(file.relative_to(root).as_posix()):
            return DataSet(layout="coco", name=root.name, root=str(root), splits=(split,), reader=CocoFolder)
    return DataSet(
        layout="coco",
        name=file.parent.name,
        root=str(file.parent),
        splits=(file.stem.removeprefix("instances_"),),
        reader=partial(CocoFolder, only=file.name),
    )


def _incomplete(root: str) -> str:
    """Clauses about the CSV files in the folder: which columns each lacks."""
    files = csv_table.columns_of(Folder.at(root))
    return "".join(f"; {csv_table.describe(name, columns)}" for name, columns in list(files.items())[:3])


def _voc(root: str) -> DataSet | None:
    place, name = Folder.at(root), Path(root).name
    parent, inner = (place, "") if place.exists() else (Folder.at(str(Path(root).parent)), name)
    if not parent.exists() or not voc.data_sets(parent, inner):
        return None
    above = root if not inner else str(Path(root).parent)
    located = VocFolder(name=name, root=above, split="", folder=inner).located()
    splits = tuple(voc_lists.splits_of(located))
    return DataSet(
        layout="voc", name=_voc_name(place, located), root=above, splits=splits, reader=partial(VocFolder, folder=inner)
    )


def _voc_name(place: Folder, located: Folder) -> str:
    """Name of the folder that the user named, unless it holds published sets, which are known by their own names."""
    devkit = place.uri if place.name == "VOCdevkit" else f"{place.uri}/VOCdevkit"
    if not place.exists() or located.uri.startswith(f"{devkit}/") or _is_published(located):
        return located.name
    return place.name


def _is_published(located: Folder) -> bool:
    known = (published(name).images for name in ("voc2007", "voc2012") if name == located.name.lower())
    lists = ((f"{SPLITS}/{split}.txt", number) for images in known for split, number in images.items())
    return any(located.is_file(name) and len(located.read_bytes(name).split()) == number for name, number in lists)


def _ilsvrc(root: str) -> DataSet | None:
    for folder in (Folder.at(root), Folder.at(root) / "ILSVRC"):
        if folder.exists(ilsvrc_files.SPLITS):
            return DataSet(
                layout="ilsvrc",
                name=folder.name,
                root=root,
                splits=tuple(ilsvrc_files.splits_of(folder)),
                reader=IlsvrcDet,
            )
    return None


def _coco(root: str) -> DataSet | None:
    folder = Folder.at(root)
    splits = tuple(coco_folder.splits_of(folder))
    return DataSet(layout="coco", name=folder.name, root=root, splits=splits, reader=CocoFolder) if splits else None


def _csv(root: str) -> DataSet | None:
    folder = Folder.at(root)
    splits = tuple(csv_table.splits_of(folder))
    return DataSet(layout="csv", name=folder.name, root=root, splits=splits, reader=CsvBoxes) if splits else None


def _yolo(root: str) -> DataSet | None:
    folder = Folder.at(root)
    found = find_yolo(folder)
    splits = tuple(found.splits) if found else ()
    return DataSet(layout="yolo", name=folder.name, root=root, splits=splits, reader=YoloFolder) if splits else None


LAYOUTS: dict[str, Callable[[str], DataSet | None]] = {
    "ilsvrc": _ilsvrc,
    "voc": _voc,
    "coco": _coco,
    "csv": _csv,
    "yolo": _yolo,
}
"""Function that detects each layout, in the order of the attempts: a new layout is a reader and a line here."""
