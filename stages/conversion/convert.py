"""Write a data set of any layout in another one: the images unchanged, and their boxes as a training would use them.

Each image is checked as sharding checks it; defects, and what the other layout cannot hold, are counted. Files are
written beside the requested folder, which appears when it is complete.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import splitext

from pipeline.errors import PipelineError
from stages.conversion.coco_writer import CocoWriter
from stages.conversion.layout_writer import LayoutWriter, Losses, Target
from stages.conversion.left_behind import count_left_behind
from stages.conversion.voc_writer import VocWriter
from stages.conversion.written_layout import WrittenLayout
from stages.conversion.yolo_writer import YoloWriter, refuse_splits
from stages.datasets.defects import Defect, Kind, Tally, is_legal, is_refused
from stages.datasets.find import DataSet
from stages.datasets.holdout import undivided
from stages.datasets.source import ListedImage, Source, discover_classes
from stages.shards.image_row import read_image


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """What was written, and what was not."""

    images: int
    boxes: int
    splits: Mapping[str, int]
    """Number of images listed by each split of the source."""

    classes: Sequence[str]
    tally: Tally
    defects: Sequence[Defect]
    losses: Losses


def convert(
    data_set: DataSet,
    layout: WrittenLayout,
    out: Path,
    *,
    sources: Mapping[str, Source],
    strict: bool = False,
    progress: Callable[[int, int], None],
) -> Conversion:
    """Write the images of `sources`, by the name of the split that they become.

    Raises PipelineError when `out` is not empty, when a defect is refused, or, if strict, when anything is lost.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PipelineError(f"{out} is not empty: name another folder with --out")
    if layout == "yolo":
        refuse_splits(list(sources))
    classes = discover_classes(sources.values())
    aside = out.parent / f".{out.name}.part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        result = _written(data_set, _writer(layout, aside, classes, data_set, list(sources)), sources, progress)
        _refuse(result, strict=strict)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    if out.exists():
        out.rmdir()
    aside.rename(out)
    return result


def _writer(
    layout: WrittenLayout, out: Path, classes: tuple[str, ...], data_set: DataSet, splits: Sequence[str]
) -> LayoutWriter:
    stated = data_set.layout == "coco"
    match layout:
        case "voc":
            return VocWriter(out=out, classes=classes, splits=splits, has_stated_areas=stated)
        case "yolo":
            return YoloWriter(out=out, classes=classes, splits=splits, has_stated_areas=stated)
        case "coco":
            ids = dict(zip(classes, range(1, len(classes) + 1), strict=True))
            return CocoWriter(out=out, classes=classes, splits=splits, has_stated_areas=stated, category_ids=ids)


def _written(
    data_set: DataSet, writer: LayoutWriter, sources: Mapping[str, Source], progress: Callable[[int, int], None]
) -> Conversion:
    listings = {split: source.listing(source.located()) for split, source in sources.items()}
    defects = [defect for listing in listings.values() for defect in listing.defects]
    tally = Tally()
    images: dict[Hashable, ListedImage] = {}
    splits: dict[Hashable, list[str]] = {}
    for split, listing in listings.items():
        for image in listing.images:
            images.setdefault(_entry(image), image)
            splits.setdefault(_entry(image), []).append(split)
    names = _names({entry: image.image_file for entry, image in images.items()}, writer.losses)
    for done, (entry, image) in enumerate(images.items(), start=1):
        reading = read_image(image, writer.classes)
        tally += reading.tally
        defects += reading.defects
        if reading.row is not None:
            target = Target(
                name=names[entry],
                suffix=splitext(image.image_file)[1],
                splits=splits[entry],
                place=image.image_file,
                exif_rotated=any(defect.kind is Kind.EXIF_ORIENTATION for defect in reading.defects),
            )
            writer.add(target, reading.row)
        progress(done, len(images))
    if not writer.images:
        first = "; ".join(str(defect) for defect in defects[:3])
        raise PipelineError(f"none of {len(images)} images of {data_set.root} can be converted: {first}")
    count_left_behind(data_set, dict.fromkeys(undivided(source).split for source in sources.values()), writer.losses)
    writer.finish()
    return Conversion(
        images=writer.images,
        boxes=writer.boxes,
        splits={split: len(listing.images) for split, listing in listings.items()},
        classes=writer.classes,
        tally=tally,
        defects=defects,
        losses=writer.losses,
    )


def _entry(image: ListedImage) -> Hashable:
    return image.image_file, image.annotation or image.annotation_file


def _refuse(result: Conversion, *, strict: bool) -> None:
    lost = [str(defect) for defect in result.defects if is_refused(defect.kind)]
    if strict:
        lost += (str(defect) for defect in result.defects if not is_legal(defect.kind))
        lost += result.losses.described()
    if lost:
        shown = "".join(f"\n  {line}" for line in dict.fromkeys(lost[:10]))
        raise PipelineError(f"nothing was written; these {len(lost)} must be fixed, or come from --strict:{shown}")


def _names(files: Mapping[Hashable, str], losses: Losses) -> dict[Hashable, str]:
    """A name for each image, unique whatever the case: that of its file, or with folders or a number where it must."""
    plain = {entry: _plain(splitext(file)[0].rpartition("/")[2]) for entry, file in files.items()}
    often = Counter(name.lower() for name in plain.values())
    names, taken = dict[Hashable, str](), set[str]()
    for entry, file in files.items():
        alone = often[plain[entry].lower()] == 1
        wanted = plain[entry] if alone else _plain(splitext(file)[0].replace("/", "_"))
        name = _free(wanted, taken)
        taken.add(name.lower())
        names[entry] = name
        losses.add(
            "images that got another name", f"{file}, now {name}", int(file.rpartition("/")[2] != _file(name, file))
        )
    return names


def _file(name: str, file: str) -> str:
    return name + splitext(file)[1]


def _plain(name: str) -> str:
    """The name without what a line of a list cannot hold: control characters, and blanks at its ends."""
    return "".join(letter if letter.isprintable() else "_" for letter in name).strip() or "_"


def _free(name: str, taken: Iterable[str]) -> str:
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = f"{name}-{number}"
    return free
