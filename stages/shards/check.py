"""Check a data set without writing anything: its lists, its files, and every image and box.

An image of several splits is read once, unless they annotate it differently. `stages.datasets.defects` holds the
consequence of each kind of defect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from pipeline.errors import PipelineError
from stages.datasets.defects import Defect, Kind, Tally
from stages.datasets.find import DataSet
from stages.datasets.source import ListedImage, Listing, Source
from stages.shards.image_row import Reading, read_image
from stages.shards.plausibility import Sums, suspicions, total
from stages.shards.shard import image_list


@dataclass(frozen=True, kw_only=True)
class Check:
    """Result of a check."""

    images_of_splits: Mapping[str, int]
    objects_of_splits: Mapping[str, int]
    """Counts of what is annotated, readable or not."""

    objects_per_class: Mapping[str, int]
    """Counts over the readable images, each once; an expected class without an object counts 0."""

    tally: Tally
    numbers: Mapping[Kind, int]
    """Number of defects of each kind that occurs."""

    defects: tuple[Defect, ...]
    """All of them, or the first of each kind."""


@dataclass(kw_only=True)
class _Defects:
    """Defects, counted by kind; the first `most` of each kind are kept, or all."""

    most: int | None
    numbers: Counter[Kind] = field(default_factory=Counter)
    kept: list[Defect] = field(default_factory=list)

    def add(self, defects: Iterable[Defect]) -> None:
        for defect in defects:
            self.numbers[defect.kind] += 1
            if self.most is None or self.numbers[defect.kind] <= self.most:
                self.kept.append(defect)


@dataclass(kw_only=True)
class _Counts:
    """What is known after reading all images, none of which is kept."""

    names: Sequence[str]
    tally: Tally = field(default_factory=Tally)
    objects: Counter[str] = field(default_factory=Counter)
    sums: list[Sums] = field(default_factory=list)
    trainable: set[Hashable] = field(default_factory=set)
    """Images with an object to train on, by `_entry`."""

    def add(self, image: ListedImage, reading: Reading) -> None:
        self.tally += reading.tally
        self.sums.append(reading.sums)
        if row := reading.row:
            self.objects.update(self.names[label] for label in row.labels)
            if not row.crowd.all():
                self.trainable.add(_entry(image))


def check(
    data_set: DataSet,
    *,
    splits: Sequence[str] = (),
    classes: Sequence[str] = (),
    examples: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Check:
    """Check these splits, or all. With `classes`, any other class is a defect.

    `examples` limits the number of defects of each kind that are kept; all are counted.

    Raises PipelineError when a part is missing without which the data set cannot be read, or when there is no image.
    """
    sources = {split: data_set.source(split) for split in splits or data_set.splits}
    listings = {split: source.listing(source.located()) for split, source in sources.items()}
    if not any(listing.images for listing in listings.values()):
        looked = f"splits {', '.join(sources)} list no image" if sources else "it has no split"
        raise PipelineError(f"nothing of {data_set.root} (layout {data_set.layout}) can be checked: {looked}")
    of_splits = {split: source.renamed(listings[split].objects_per_class) for split, source in sources.items()}
    found = _Defects(most=examples)
    found.add(_of_listings(listings.values()))
    found.add(_in_two_splits(sources, listings))
    if not splits:
        found.add(_unlisted(list(sources.values()), listings.values()))
    names = sorted(set().union(*of_splits.values()))
    counts = _read(_each_once(listings.values()), names, found, progress)
    found.add(_unknown(data_set, counts, classes))
    found.add(_absent(data_set, of_splits))
    found.add(_without_objects(data_set, listings, counts.trainable))
    found.add(suspicions(total(counts.sums), counts.objects, source=data_set.name, place="all splits"))
    return Check(
        images_of_splits={split: len(listing.images) for split, listing in listings.items()},
        objects_of_splits={split: objects.total() for split, objects in of_splits.items()},
        objects_per_class={name: counts.objects[name] for name in sorted({*counts.names, *classes})},
        tally=sum(map(_of_lists, listings.values()), counts.tally),
        numbers={kind: found.numbers[kind] for kind in Kind if found.numbers[kind]},
        defects=tuple(found.kept),
    )


def _of_listings(listings: Iterable[Listing]) -> Iterator[Defect]:
    """Defects of the lists; what is not read of a file that several splits share counts once."""
    unread = set[Defect]()
    for listing in listings:
        yield from (defect for defect in listing.defects if defect not in unread)
        unread.update(defect for defect in listing.defects if defect.kind is Kind.UNREAD)


def _entry(image: ListedImage) -> Hashable:
    """Image and annotation, by which entries of several splits are recognised as one."""
    return image.image_file, image.annotation or image.annotation_file


def _each_once(listings: Iterable[Listing]) -> list[ListedImage]:
    return list({_entry(image): image for listing in listings for image in listing.images}.values())


def _read(
    images: Sequence[ListedImage],
    names: Sequence[str],
    found: _Defects,
    progress: Callable[[int, int], None] | None,
) -> _Counts:
    counts = _Counts(names=names)
    for done, image in enumerate(images, start=1):
        reading = read_image(image, names)
        found.add(reading.defects)
        counts.add(image, reading)
        if progress:
            progress(done, len(images))
    return counts


def _unknown(data_set: DataSet, counts: _Counts, classes: Sequence[str]) -> Iterator[Defect]:
    for name in counts.names:
        if classes and name not in classes:
            detail = f"{counts.objects[name]} objects"
            yield Defect(kind=Kind.UNKNOWN_CLASS, source=data_set.name, file=name, detail=detail)


def _absent(data_set: DataSet, of_splits: Mapping[str, Counter[str]]) -> Iterator[Defect]:
    """Classes of a split to score on that no split to train on has."""
    trained = set().union(*(counts for split, counts in of_splits.items() if _begins(split, "train")))
    for split, counts in of_splits.items() if trained else ():
        for name in sorted(set(counts) - trained):
            detail = f"{name}: {counts[name]} objects in {split}"
            yield Defect(kind=Kind.ABSENT_CLASS, source=data_set.name, file=split, detail=detail)


def _without_objects(data_set: DataSet, listings: Mapping[str, Listing], trainable: set[Hashable]) -> Iterator[Defect]:
    for split, listing in listings.items():
        if _begins(split, "train") and not any(_entry(image) in trainable for image in listing.images):
            detail = f"{len(listing.images)} images and no object to train on in any of them (crowds do not count)"
            yield Defect(kind=Kind.NOTHING_TO_TRAIN, source=data_set.name, file=split, detail=detail)


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
                    copy = "" if other == image.image_id else f", in {first} as {other}"
                    yield image.defect(Kind.TWO_SPLITS, image.image_file, f"{first} and {second}{copy}")


def _trains_on(first: str, second: str) -> bool:
    """Whether one trains where the other scores: train/val, train/test, val/test, but not trainval/val."""
    if _begins(second, "test"):
        return not _begins(first, "test")
    return _begins(first, "train") and not _begins(first, "trainval") and _begins(second, "val", "minival")


def _begins(split: str, *words: str) -> bool:
    """Whether the name of a split begins with one of these words, in any case."""
    return split.lower().startswith(words)


def _unlisted(sources: Sequence[Source], listings: Collection[Listing]) -> Iterator[Defect]:
    """Images and annotation files that are in no split, and that no list reports."""
    listed = {path for listing in listings for image in listing.images for path in _paths(image)}
    listed |= {defect.file for listing in listings for defect in listing.defects}
    present = {path: kind for source in sources for kind, path in source.files(source.located())}
    for path, kind in present.items():
        if path not in listed:
            yield Defect(kind=kind, source=sources[0].name, file=path, detail="in no split")


def _paths(image: ListedImage) -> tuple[str, str]:
    return image.image_file, image.annotation_file
