"""A split divided into images to train on and images to test on, by the content of each image.

An image is held out if the SHA-256 of the seed and of its content, as a fraction, is below the share. Copies of an
image therefore stay on one side, and an image keeps its side when others are added or removed.

Tested in tests/stages/datasets/test_holdout.py.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.external.stamp import FilesRead
from pipeline.folder import Folder
from stages.datasets.annotation import AnnotatedObject, UnreadableAnnotation
from stages.datasets.defects import Kind
from stages.datasets.source import ListedImage, Listing, Source, Survey, digest_of

FIRST = 16
"""Hexadecimal digits of the hash that are compared with the share."""

LARGEST = 1 << 4 * FIRST


@dataclass(frozen=True, kw_only=True)
class HeldOut(Source):
    """One side of a divided split; its images are those of `whole` on this side."""

    whole: Source
    share: float
    """Expected share of the images that are held out to test on."""

    seed: int
    tests: bool
    """Whether this is the side to test on."""

    def located(self, result: Folder | None = None) -> Folder:
        return self.whole.located(result)

    def files_read(self, folder: Folder) -> FilesRead:
        read = self.whole.files_read(folder)
        return FilesRead(contents=[*read.contents, *read.sizes], sizes=[])

    def surveyed(self, folder: Folder) -> Survey:
        whole = self.whole.surveyed(folder)
        chosen = list(self._chosen(folder, self.whole.listing(folder).images))
        if not chosen:
            side, remedy = ("test", "larger") if self.tests else ("train", "smaller")
            raise PipelineError(
                f"--holdout {self.share:g} leaves no image to {side} on, of the {len(whole.ids)} of {self.whole.name}/"
                f"{self.whole.split}: choose a {remedy} share or another --seed"
            )
        objects = [item for image, _ in chosen for item in _objects(image)]
        return Survey(
            digest=digest_of([whole.digest, str(self.tests), str(self.share), str(self.seed)]),
            objects_per_class=dict(sorted(Counter(item.name for item in objects).items())),
            ids=[image.image_id for image, _ in chosen],
            files=[image.image_file if image.found else "" for image, _ in chosen],
            sizes=[size for _, size in chosen],
            crowds=sum(item.crowd for item in objects),
            difficult=sum(item.difficult and not item.crowd for item in objects),
        )

    def listing(self, folder: Folder) -> Listing:
        """The images of this side; defects of the list itself are those of the side to train on."""
        whole = self.whole.listing(folder)
        images = tuple(image for image, _ in self._chosen(folder, whole.images))
        return Listing(
            images=images,
            objects_per_class=Counter(item.name for image in images for item in _objects(image)),
            defects=() if self.tests else whole.defects,
            repeated=0 if self.tests else whole.repeated,
            orphans=0 if self.tests else whole.orphans,
        )

    def files(self, folder: Folder) -> Iterator[tuple[Kind, str]]:
        return self.whole.files(folder)

    def _chosen(self, folder: Folder, images: Iterable[ListedImage]) -> Iterator[tuple[ListedImage, int]]:
        """Images of this side, with their sizes in bytes; missing ones are on the side to train on."""
        for image in images:
            content = folder.read_bytes(image.image_file) if image.found else b""
            if (image.found and is_held_out(content, self.share, self.seed)) == self.tests:
                yield image, len(content)


def divided(source: Source, share: float, seed: int) -> tuple[Source, Source]:
    """The two sides of a split: to train on, and to test on. Raises PipelineError for a share outside (0, 1)."""
    if not 0 < share < 1:
        raise PipelineError(
            f"--holdout is {share:g}: choose the share of images to test on, between 0 and 1, such as 0.2"
        )
    return _side(source, share, seed, tests=False), _side(source, share, seed, tests=True)


def _side(source: Source, share: float, seed: int, *, tests: bool) -> Source:
    return HeldOut(
        name=source.name,
        split=f"{source.split}-{'heldout' if tests else 'kept'}-{share:g}-seed{seed}",
        within=source.within,
        root=source.root,
        naming=source.naming,
        whole=source,
        share=share,
        seed=seed,
        tests=tests,
    )


def undivided(source: Source) -> Source:
    """The source that a side belongs to; any other one unchanged."""
    return source.whole if isinstance(source, HeldOut) else source


def is_held_out(content: bytes, share: float, seed: int) -> bool:
    image = hashlib.sha256(content).hexdigest()
    drawn = hashlib.sha256(f"{seed} {image}".encode()).hexdigest()[:FIRST]
    return int(drawn, 16) < share * LARGEST


def _objects(image: ListedImage) -> tuple[AnnotatedObject, ...]:
    """The annotated objects; none where the annotation is missing or broken, which the shards report."""
    if image.annotation is not None:
        return image.annotation.objects
    if image.parse is None or not image.folder.is_file(image.annotation_file):
        return ()
    try:
        return image.parse(image.folder.read_bytes(image.annotation_file)).objects
    except UnreadableAnnotation:
        return ()
