"""Link a data set that is already on disk into the data folder; nothing is copied."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import PipelineError
from stages.datasets.published import PublishedData, published
from stages.datasets.voc_parts import ANNOTATIONS, IMAGES, SPLITS

VOC_PARTS = (ANNOTATIONS, IMAGES, SPLITS)
VOC_IDS = {"voc2007": r"\d{6}", "voc2012": r"\d{4}_\d{6}"}


def link(name: str, folder: Path, to: Path) -> Path:
    """Link the data set `name`, which lies in `folder` (or in VOCdevkit or the year's folder in it), below `to`.

    Returns the link. An existing link is replaced. Raises PipelineError when `folder` is not that data set, with what
    it lacks, or when a real folder is in the place of the link.
    """
    data = published(name)
    found = _found(data, folder)
    place = to / data.place
    if place.exists() and not place.is_symlink() and place.resolve() != found:
        raise PipelineError(f"{place} is a real folder, not a link; move it away before linking {found} there")
    if place.is_symlink():
        place.unlink()
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(found, target_is_directory=True)
    return place


def images_listed(name: str, folder: Path) -> dict[str, int]:
    """Number of images of each official split, by its split file or image folder; absent splits are omitted."""
    splits = published(name).images
    if name == "coco2017":
        counts = {split: _coco_images(folder, split) for split in splits}
    else:
        files = {split: folder / f"{SPLITS}/{split}.txt" for split in splits}
        counts = {
            split: len(file.read_text(encoding="utf-8").split()) for split, file in files.items() if file.exists()
        }
    return {split: number for split, number in counts.items() if number}


def _found(data: PublishedData, folder: Path) -> Path:
    if not folder.is_dir():
        raise PipelineError(f"there is no folder {folder}")
    last = Path(data.place).name
    candidates = [folder, folder / last, folder / "VOCdevkit" / last]
    reasons = {place: _lacking(data.name, place) for place in candidates if place.is_dir()}
    for place, reason in reasons.items():
        if not reason:
            return place.resolve()
    lines = "".join(f"\n  {place}: {reason}" for place, reason in reasons.items())
    raise PipelineError(f"{folder} does not hold {data.name}:{lines}")


def _lacking(name: str, folder: Path) -> str:
    """Why `folder` is not the data set; "" when it is."""
    if name == "coco2017":
        return "" if list(folder.glob("annotations/instances_*2017.json")) else "no annotations/instances_*2017.json"
    if absent := [part for part in VOC_PARTS if not (folder / part).is_dir()]:
        return f"no {', no '.join(absent)}"
    ids = [entry.stem for entry in sorted((folder / "Annotations").glob("*.xml"))[:3]]
    strange = [image_id for image_id in ids if not re.fullmatch(VOC_IDS[name], image_id)]
    if strange or not ids:
        return f"{strange[0]!r} is not an id of {name}" if strange else "Annotations is empty"
    return ""


def _coco_images(folder: Path, split: str) -> int:
    places = [folder / split, folder / "images" / split]
    return sum(1 for place in places if place.is_dir() for _ in place.glob("*.jpg"))
