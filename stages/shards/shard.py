"""The shard stage: annotated images, checked and packed into Parquet; ssd_core/data/shards.py defines the schema.

Its result holds `images-00000.parquet`, ..., the manifest `shards.json`, `report.json` and `report.md`, which account
for every image and box of the input, and `images.sha256`, by which equal images of other shards are recognised.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from pipeline.errors import PipelineError
from pipeline.external.snapshot import remembered
from pipeline.folder import Folder
from pipeline.stage import Context, Resources
from stages.datasets.source import Source
from stages.shards.class_list import ClassList
from stages.shards.image_list import ImageList, ListedFile, ListsImages, published_name


@dataclass(frozen=True, kw_only=True)
class Shard(ListsImages):
    """One set of shards. Rows are ordered by source, then as in the split, for any number of workers."""

    checked_by_reader: ClassVar[tuple[str, ...]] = ("images-*.parquet",)
    sources: tuple[Source, ...]
    """Concatenated: 07+12 has two."""

    classes: tuple[str, ...] = ()
    """Labels are indices into it; empty: all names in the data, sorted. A test set uses those of its training set."""

    ignore_classes: tuple[str, ...] = ()
    """Classes, by their names in the shards, whose boxes are left out. Any other class not in `classes` is an error."""

    leave_out_others: bool = False
    """Leave out and report objects of classes that are not in `classes`: those that the training split lacks."""

    images_per_shard: int = 256
    strict: bool = False
    """Refuse a data set with a defect. Part of the key, so that the result of a lenient run is not reused."""

    def __post_init__(self) -> None:
        if not self.sources:
            raise PipelineError("a shard stage needs at least one source")
        names = Counter(f"{source.name}/{source.split}" for source in self.sources)
        if twice := [name for name, times in names.items() if times > 1]:
            raise PipelineError(f"two sources are called {twice[0]}: give the data sets distinct names")
        if self.images_per_shard < 1:
            raise PipelineError(f"images_per_shard must be 1 or more, but is {self.images_per_shard}")

    @property
    def resources(self) -> Resources:
        return Resources(nested=True, spreads=True)

    def places_read(self) -> tuple[str, ...]:
        return tuple(source.root for source in self.sources if source.root and source.within is None)

    def artifacts(self) -> tuple[str, ...]:
        return ("report.md",)

    def external_digest(self) -> str:
        """Digest of the sources on disk. Raises PipelineError for missing parts, empty splits and unknown classes."""
        surveyed = [(source, source.survey()) for source in self.sources if source.within is None]
        self._class_list().of(sum((source.renamed(found.objects_per_class) for source, found in surveyed), Counter()))
        return hashlib.sha256("".join(found.digest for _, found in surveyed).encode()).hexdigest() if surveyed else ""

    def listed_images(self) -> tuple[ImageList, ...]:
        return tuple(map(image_list, self.sources))

    def objects_to_train(self, *, difficult: bool) -> tuple[int, int] | None:
        if any(source.within for source in self.sources):
            return None
        surveys = [source.survey() for source in self.sources]
        images = sum(len(survey.ids) for survey in surveys)
        return images, sum(survey.objects_to_train(difficult=difficult) for survey in surveys)

    def run(self, ctx: Context) -> None:
        from stages.shards.shard_writing import Sharding, write_shards

        located = [source.located(ctx.input(source.within) if source.within else None) for source in self.sources]
        sharding = Sharding(
            classes=self._class_list(),
            images_per_shard=self.images_per_shard,
            strict=self.strict,
        )
        write_shards(sharding, list(zip(self.sources, located, strict=True)), ctx)

    def _class_list(self) -> ClassList:
        return ClassList(
            address=self.address,
            classes=self.classes,
            ignored=self.ignore_classes,
            leave_out_others=self.leave_out_others,
        )


def image_list(source: Source) -> ImageList:
    """Image list of a source; without images when they do not exist yet or cannot be listed."""
    name = f"{source.name}/{source.split}"
    if source.within:
        return ImageList(name=name)
    try:
        source.survey()
    except PipelineError:  # a data set that is missing or broken is refused by the stage that shards it
        return ImageList(name=name)
    return ImageList(
        name=name,
        place=source.root,
        files=lambda: remembered(("image files", repr(source), source.root), lambda: _files(source)),
        digest=lambda file: remembered(("digest", file.place), lambda: _digest(source, file.place)),
    )


def _files(source: Source) -> tuple[ListedFile, ...]:
    survey, folder = source.survey(), source.located()
    listed = zip(survey.ids, survey.files, survey.sizes, strict=True)
    return tuple(_file(source.name, image_id, folder, file, size) for image_id, file, size in listed if file)


def _file(source: str, image_id: str, folder: Folder, file: str, size: int) -> ListedFile:
    name = file.rpartition("/")[2].rpartition(".")[0]
    return ListedFile(image_id, size, f"{folder.uri}/{file}", name, published_name(source, name))


def _digest(source: Source, place: str) -> str:
    folder = remembered(("located", repr(source)), source.located)  # its URI may end with parameters
    return hashlib.sha256(folder.read_bytes(place.removeprefix(f"{folder.uri}/"))).hexdigest()
