"""Write the layout of YOLO: a text file of labels for each image, and data.yaml.

Each image lies in the folder of its first split; splits that share images are lists. YOLO has no flags: difficult
objects become ordinary ones, and crowds, which would be trained on, are left out.

Tested in tests/stages/conversion/test_convert.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from pipeline.errors import PipelineError
from ssd_core.data.shards import Row
from stages.conversion.layout_writer import LayoutWriter, Target

NAMES = {
    "trainval": "train",
    "train2017": "train",
    "train2014": "train",
    "val2017": "val",
    "val2014": "val",
    "minival": "val",
    "valid": "val",
    "validation": "val",
}
"""Names of splits in YOLO's YAML, which has train, val and test only."""


@dataclass(kw_only=True)
class YoloWriter(LayoutWriter):
    """Writes images/<split>, labels/<split> and data.yaml."""

    _files: dict[str, list[str]] = field(default_factory=dict)
    _is_shared: bool = False

    def add(self, target: Target, row: Row) -> None:
        if target.exif_rotated and len(row.labels):
            what = "images with an EXIF orientation, left out, since YOLO's programs rotate them"
            self.losses.add(what, target.place)
            self.losses.add("boxes of these images", target.place, len(row.labels))
            return
        splits = list(dict.fromkeys(map(self._name, target.splits)))
        path = f"{splits[0]}/{target.file}"
        self.write(f"images/{path}", row.image)
        self.write(f"labels/{splits[0]}/{target.name}.txt", self._lines(row))
        for split in splits:
            self._files.setdefault(split, []).append(f"./images/{path}")
        self._is_shared |= len(splits) > 1
        kept = ~row.crowd
        self.losses.add("crowds, left out", target.place, int(row.crowd.sum()))
        difficult = int((row.difficult & kept).sum())
        self.losses.add("difficult objects, written as ordinary ones", target.place, difficult)
        if self.has_stated_areas:
            self.losses.add("stated areas and annotation ids of objects", target.place, int(kept.sum()))
        self.images += 1
        self.boxes += int(kept.sum())

    def finish(self) -> None:
        splits = [split for split in dict.fromkeys(map(self._name, self.splits)) if split in self._files]
        places = {split: f"{split}.txt" if self._is_shared else f"images/{split}" for split in splits}
        if self._is_shared:
            for split, files in self._files.items():
                self.write(f"{split}.txt", "".join(f"{file}\n" for file in files))
        content = {**places, "nc": len(self.classes), "names": list(self.classes)}
        self.write("data.yaml", yaml.safe_dump(content, sort_keys=False, allow_unicode=True))

    def _name(self, split: str) -> str:
        return yolo_names(self.splits)[split]

    def _lines(self, row: Row) -> str:
        lines = []
        for label, box, crowd in zip(row.labels.tolist(), row.boxes_xyxy.tolist(), row.crowd.tolist(), strict=True):
            if not crowd:
                x, y = (box[0] + box[2]) / 2 / row.width, (box[1] + box[3]) / 2 / row.height
                width, height = (box[2] - box[0]) / row.width, (box[3] - box[1]) / row.height
                lines.append(f"{label} {x:.8f} {y:.8f} {width:.8f} {height:.8f}\n")
        return "".join(lines)


def yolo_names(splits: Sequence[str]) -> dict[str, str]:
    """Name in the YAML of each split; a data set that is not divided is train."""
    if len(splits) == 1 and splits[0] not in (*NAMES, "val", "test"):
        return {splits[0]: "train"}
    return {split: NAMES.get(split, split) for split in splits}


def refuse_splits(splits: Sequence[str]) -> None:
    """Raises PipelineError for splits that YOLO's YAML cannot name apart."""
    names = yolo_names(splits)
    if other := [split for split, name in names.items() if name not in ("train", "val", "test")]:
        raise PipelineError(
            f"YOLO has the splits train, val and test, but not {', '.join(other)}: choose splits with --split, "
            f"of {', '.join(splits)}"
        )
    if len({*names.values()}) < len(names):
        pairs = ", ".join(f"{split} as {name}" for split, name in names.items())
        raise PipelineError(
            f"YOLO has the splits train, val and test: {pairs} would be merged; choose splits with --split"
        )
