"""Do released weights score here what their authors published? VOC2007 test; the cheapest joint check of import,
network, default boxes, decoding, suppression and evaluation, before anything is trained.

Expect: within half a point; the original's own published numbers for one file spread as much (77.2 to 77.7).
Cost:   no training.
Run:    SSDPIPE_WEIGHTS=DIR ssdpipe run import-check, with any of the files below in DIR
Source: README of weiliu89/caffe, amdegroot/ssd.pytorch, lufficc/SSD and chainercv's examples/ssd.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from experiments.framework.experiment import METRICS, Experiment, Seeds
from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from ssd_core.spec.paper import Flavour, ssd300, ssd512
from ssd_core.weights.layouts.layout import ImportChoices, LayoutName
from stages.graphs import scored
from stages.placement import Placement
from stages.tables.content import Cell
from stages.tables.table import Table
from stages.training.initial import WeightsFile

FOLDER = "SSDPIPE_WEIGHTS"


@dataclass(frozen=True, kw_only=True)
class Released:
    """A weights file trained on VOC 07+12, with its published mAP on VOC2007 test as a fraction."""

    file: str
    layout: LayoutName
    published: float
    label: str
    scales: Flavour = "voc"

    @property
    def boxes(self) -> int:
        return (ssd512() if "512" in self.file else ssd300()).box_count


RELEASED = (
    Released(
        file="VGG_VOC0712_SSD_300x300_iter_120000.caffemodel", layout="caffe", published=0.772, label="Caffe SSD300*"
    ),
    Released(
        file="VGG_VOC0712_SSD_512x512_iter_120000.caffemodel", layout="caffe", published=0.798, label="Caffe SSD512*"
    ),
    Released(
        file="VGG_VOC0712_SSD_300x300_ft_iter_120000.caffemodel",
        layout="caffe",
        scales="coco",
        published=0.812,
        label="Caffe SSD300* from COCO",
    ),
    Released(
        file="VGG_VOC0712_SSD_512x512_ft_iter_120000.caffemodel",
        layout="caffe",
        scales="coco",
        published=0.832,
        label="Caffe SSD512* from COCO",
    ),
    Released(file="ssd300_mAP_77.43_v2.pth", layout="amdegroot", published=0.7743, label="ssd.pytorch SSD300, trained"),
    Released(file="ssd_300_VOC0712.pth", layout="amdegroot", published=0.7726, label="ssd.pytorch SSD300, converted"),
    Released(file="vgg_ssd300_voc0712.pth", layout="lufficc", published=0.777, label="lufficc SSD300"),
    Released(file="vgg_ssd512_voc0712.pth", layout="lufficc", published=0.807, label="lufficc SSD512"),
    Released(
        file="ssd300_voc0712_converted_2017_06_06.npz",
        layout="chainercv",
        published=0.778,
        label="chainercv SSD300, converted",
    ),
    Released(
        file="ssd512_voc0712_converted_2017_06_06.npz",
        layout="chainercv",
        published=0.797,
        label="chainercv SSD512, converted",
    ),
)


@dataclass(frozen=True, kw_only=True)
class ImportCheck(Experiment):
    """An experiment without trainings: its rows are the weights files that exist."""

    def table(self, preset: Preset, *, seeds: Seeds = 1, column: str = "") -> Table:
        """A row for each file. Raises PipelineError for other presets, seeds or columns, or when no file exists."""
        if preset.name != "full" or seeds != 1 or column:
            raise PipelineError(f"{self.name} trains nothing: leave out --preset, --seeds and --column")
        setup = preset.setup(RUNS["ssd300-voc0712"])
        folder = Path(os.environ.get(FOLDER, "weights")).expanduser()
        return Table(
            variant=self.name,
            title=f"{self.answers}: {self.question}",
            preset=preset.name,
            row_title=self.row_title,
            cells=tuple(_cell(released, folder, setup, preset.placement) for released in released_files(folder)),
            metric=METRICS["voc"],
            published_title="author",
        )


def released_files(folder: Path) -> list[Released]:
    """The files that exist. Raises PipelineError with the list of known files when none does."""
    existing = [released for released in RELEASED if (folder / released.file).is_file()]
    if not existing:
        raise PipelineError(
            f"import-check needs released weights, but {folder} holds none of them; set {FOLDER} to a folder with:\n"
            + "\n".join(f"  {released.file} ({released.label}, {released.published:.1%})" for released in RELEASED)
            + "\nFor a file with another name: ssdpipe evaluate weights FILE --data VOC"
        )
    return existing


def _cell(released: Released, folder: Path, setup: Setup, placement: Placement) -> Cell:
    variant = Path(released.file).stem
    weights = WeightsFile(
        path=str(folder / released.file),
        choices=ImportChoices(layout=released.layout, scales=released.scales),
        variant=variant,
    )
    evaluation = scored(weights, test=setup.test_shards(), variant=variant, placement=placement)
    return Cell(row=released.label, boxes=released.boxes, published=released.published, results=(evaluation,))


experiment = ImportCheck(
    name="import-check",
    question="Do released weights score here what their authors published?",
    answers="Released weights",
    expects="within half a point of the published number",
    row_title="weights",
    rows=(),
)
