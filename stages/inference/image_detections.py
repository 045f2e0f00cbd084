"""The detections of one picture: a small value that prints, draws and converts itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from pipeline.errors import PipelineError
from stages.inference.pictures import pixels_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from stages.inference.pictures import Picture


class Detection(NamedTuple):
    """One object."""

    name: str
    """Name of its class."""

    score: float
    box_xyxy: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ImageDetections:
    """N detections of one picture, by descending score; iterate for one at a time."""

    boxes_xyxy: Float[ndarray, "N 4"]
    """Pixels of the picture, unrounded; they may extend beyond it."""

    labels: Int[ndarray, " N"]
    """0-based indices into `classes`."""

    scores: Float[ndarray, " N"]
    classes: tuple[str, ...]
    width: int
    height: int
    name: str = ""
    """Path of the picture; empty if it has none."""

    picture: Picture = field(default=b"")
    """The picture as it was given, for drawing."""

    @property
    def names(self) -> tuple[str, ...]:
        """Class name of each detection."""
        return tuple(self.classes[label] for label in self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Detection]:
        for name, score, box in zip(self.names, self.scores.tolist(), self.boxes_xyxy.tolist(), strict=True):
            yield Detection(name, score, tuple(box))

    def __repr__(self) -> str:
        """One line for the picture, and one for each detection: class, score, corners in pixels."""
        objects = "1 detection" if len(self) == 1 else f"{len(self)} detections"
        width = max(map(len, self.names), default=0)
        lines = [f"{self.name or 'picture'}, {self.width}x{self.height}: {objects}"]
        for item in self:
            corners = " ".join(f"{value:6.1f}" for value in item.box_xyxy)
            lines.append(f"  {item.name:<{width}}  {item.score:.3f}  {corners}")
        return "\n".join(lines)

    def above(self, score: float) -> ImageDetections:
        """The detections with a higher score."""
        kept = self.scores > score
        return replace(self, boxes_xyxy=self.boxes_xyxy[kept], labels=self.labels[kept], scores=self.scores[kept])

    def without_picture(self) -> ImageDetections:
        """The detections alone, which take less memory than pixels."""
        return replace(self, picture=b"")

    def drawn(self) -> Image:
        """The picture with boxes and labels; a small one is magnified, so that its labels are legible."""
        from stages.inference.drawing import draw_boxes

        labels = [f"{item.name} {item.score:.2f}" for item in self]
        return draw_boxes(pixels_of(self.picture), self.boxes_xyxy, self.labels.tolist(), labels)

    def _repr_png_(self) -> bytes:
        """The drawn picture, as notebooks show it."""
        from stages.inference.drawing import encoded

        return encoded(self.drawn(), "PNG")

    def crops(self) -> list[Image]:
        """The part of the picture inside each box, in the same order."""
        from stages.inference.drawing import cut_out

        return cut_out(pixels_of(self.picture), self.boxes_xyxy)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: image, width, height, and the detections with class, score and box_xyxy."""
        found = [{"class": item.name, "score": item.score, "box_xyxy": list(item.box_xyxy)} for item in self]
        return {"image": self.name, "width": self.width, "height": self.height, "detections": found}

    def to_coco(self, image_id: int | str = 0) -> list[dict[str, Any]]:
        """Entries of a results file of COCO. Category ids are COCO's for its classes, else the label + 1."""
        ids = category_ids(self.classes)
        boxes = np.concatenate([self.boxes_xyxy[:, :2], self.boxes_xyxy[:, 2:] - self.boxes_xyxy[:, :2]], axis=1)
        return [
            {"image_id": image_id, "category_id": ids[label], "bbox": box, "score": score}
            for label, box, score in zip(self.labels, boxes.tolist(), self.scores.tolist(), strict=True)
        ]

    def to_supervision(self) -> Any:
        """As `supervision.Detections`. Raises PipelineError when the package is not installed."""
        try:
            import supervision
        except ImportError as error:
            raise PipelineError(f"to_supervision needs a package: pip install supervision ({error})") from error
        return supervision.Detections(
            xyxy=self.boxes_xyxy,
            confidence=self.scores,
            class_id=self.labels,
            data={"class_name": np.array(self.names, dtype=str)},
        )


def category_ids(classes: tuple[str, ...]) -> tuple[int, ...]:
    """COCO's ids for its 80 classes, in which 10 numbers are unused; 1, 2, ... for any others."""
    from ssd_core.spec.vocabularies import COCO_CATEGORIES, COCO_CLASSES

    return tuple(COCO_CATEGORIES) if classes == COCO_CLASSES else tuple(range(1, len(classes) + 1))
