"""Check a data set without writing anything: its lists, its files, and every image and box.

An image of several splits is read once. `stages.datasets.defects` holds the consequence of each kind of defect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from stages.datasets.defects import Defect, Kind, Tally
from stages.datasets.find import DataSet
from stages.datasets.source import ListedImage, Listing, Source
from stages.shards.image_row import read_image
from stages.shards.shard import image_list


@dataclass(frozen=True, kw_only=True)
class Check:
    """Result of a check."""

    images_of_splits: Mapping[str, int]
    objects_per_class: Mapping[str, int]
    """Counts over the readable images, each once."""

    tally: Tally
    defects: tuple[Defect, ...]


def check(
    data_set: DataSet,
    *,
    splits: Sequence[str] = (),
    classes: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Check:
    """Check these splits, or all. With `classes`, any other class is a defect.

    Raises PipelineError when a part is missing without which the data set cannot be read.
    """
    sources = [data_set.source(split) for split in splits or data_set.splits]
    listings = {source.split: source.listing(source.located()) for source in sources}
    names = sorted({name for source in sources for name in source.renamed(listings[source.split].objects_per_class)})
    defects = [defect for listing in listings.values() for defect in listing.defects]
    defects += _in_two_splits({source.split: source for source in sources}, listings)
    if not splits:
        defects += _unlisted(sources, listings.values())
    tally, of_images, counts = _read(_each_once(listings.values()), names, progress)
    unknown = (name for name in names if classes and name not in classes)
    defects += [
        Defect(kind=Kind.UNKNOWN_CLASS, source=data_set.name, file=name, detail=f"{counts[name]} objects")
        for name in unknown
    ]
    return Check(
        images_of_splits={split: len(listing.images) for split, listing in listings.items()},
        objects_per_class={name: counts[name] for name in names},
        tally=sum(map(_of_lists, listings.values()), tally),
        defects=(*defects, *of_images),
    )


def _each_once(listings: Iterable[Listing]) -> list[ListedImage]:
    return list({image.image_file: image for listing in listings for image in listing.images}.values())


def _read(
    images: Sequence[ListedImage], names: Sequence[str], progress: Callable[[int, int], None] | None
) -> tuple[Tally, list[Defect], Counter[str]]:
    """Read every image without keeping it; return the tally, the defects and the number of objects of each class."""
    tally, defects, counts = Tally(), list[Defect](), Counter[str]()
    for done, image in enumerate(images, start=1):
        reading = read_image(image, names)
        tally += reading.tally
        defects += reading.defects
        counts.update(names[label] for label in (reading.row.labels if reading.row else ()))
        if progress:
            progress(done, len(images))
    return tally, defects, counts


def _of_lists(listing: Listing) -> Tally:
    return Tally(
        images_listed=listing.repeated,
        images_left_out=listing.repeated,
        boxes_annotated=listing.orphans,
        boxes_of_left_out_images=listing.orphans,
    )


def _in_two_splits(sources: Mapping[str, Source], listings: Mapping[str, Listing]) -> Iterator[Defect]:
    """Images of test splits that are also in other splits, and images of validation splits that are also in train.

    An image is the same if a training would refuse it: its file is, or the bytes of the two files are.
    """
    for first, second in permutations(listings, 2):
        if _trains_on(first, second):
            shared = image_list(sources[second]).shared(image_list(sources[first]))
            for image in listings[second].images:
                if other := shared.get(image.image_id):
                    copy = "" if other == image.image_id else f", there {other}"
                    yield image.defect(Kind.TWO_SPLITS, image.image_file, f"{first} and {second}{copy}")


def _trains_on(first: str, second: str) -> bool:
    """Whether one trains where the other scores: train/val, train/test, val/test, but not trainval/val."""
    if second.startswith("test"):
        return not first.startswith("test")
    return first.startswith("train") and not first.startswith("trainval") and second.startswith(("val", "minival"))


def _unlisted(sources: Sequence[Source], listings: Iterable[Listing]) -> Iterator[Defect]:
    """Images and annotation files that are in no split."""
    listed = {path for listing in listings for image in listing.images for path in _paths(image)}
    present = {path: kind for source in sources for kind, path in source.files(source.located())}
    for path, kind in present.items():
        if path not in listed:
            yield Defect(kind=kind, source=sources[0].name, file=path, detail="in no split")


def _paths(image: ListedImage) -> tuple[str, str]:
    return image.image_file, image.annotation_file
