"""Training and test images of the paper's runs: the published data sets, and drawn images in their place.

A mix is a concatenation, sampled uniformly over images. COCO is never part of a mix: "07+12+COCO" in the tables means
that a detector trained on COCO is fine-tuned on 07+12.

Tested in tests/experiments/framework/test_runs.py.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from experiments.framework.runs import DataName
from pipeline.folder import Folder
from ssd_core.spec.ilsvrc_vocabulary import ILSVRC_CLASSES
from ssd_core.spec.paper import Flavour
from ssd_core.spec.vocabularies import COCO_CLASSES, COCO_TO_VOC, VOC_CLASSES
from stages.datasets import mixes
from stages.datasets.coco.coco_folder import CocoFolder
from stages.datasets.ilsvrc import IlsvrcDet
from stages.datasets.source import Source
from stages.datasets.voc import VocFolder
from stages.drawn.draw import Draw
from stages.drawn.vocabulary import CLASSES as DRAWN_CLASSES
from stages.drawn.vocabulary import COCO_CLASSES as DRAWN_COCO_CLASSES
from stages.drawn.vocabulary import DRAWN_COCO_TO_VOC
from stages.evaluation.protocol import Protocol


@dataclass(frozen=True, kw_only=True)
class DataMix:
    """Training and test images of a run, and how they are scored."""

    train: tuple[Source, ...]
    test: tuple[Source, ...]
    """Test images with annotations; the servers' test sets have none."""

    classes: tuple[str, ...]
    protocol: Protocol = "voc"
    scales: Flavour = "voc"
    """Scales of the default boxes, unless the run is fine-tuned."""

    from_coco: tuple[tuple[str, str], ...] = ()
    """Pairs of class names, COCO's and the mix's, that map the heads of a detector trained on COCO."""


def published_mix(data: DataName) -> DataMix:
    """The paper's data sets below SSDPIPE_DATA (default: ./data)."""
    root = data_root()
    if data == "coco":
        return DataMix(
            train=mixes.coco_trainval35k(root),
            test=(mixes.coco(root, "minival"),),
            classes=COCO_CLASSES,
            protocol="coco",
            scales="coco",
        )
    if data == "ilsvrc":
        # "the same network architecture we used for COCO" (section 3.5); the released script uses VOC's scales
        val2 = IlsvrcDet(name="ilsvrc", root=f"{root}/ILSVRC", split="val2")
        return DataMix(
            train=mixes.ilsvrc_train(root), test=(val2,), classes=ILSVRC_CLASSES, protocol="ilsvrc", scales="coco"
        )
    voc07_test, voc12_val = mixes.voc(root, "2007", "test"), mixes.voc(root, "2012", "val")
    train, test = {
        "07": (mixes.voc07(root), (voc07_test,)),
        "07+12": (mixes.voc07_12(root), (voc07_test,)),
        "07+12train": ((*mixes.voc07(root), mixes.voc(root, "2012", "train")), (voc12_val,)),
        "07++12": (mixes.voc07_all_12(root), ()),  # VOC2012 test: its annotations are not public
    }[data]
    return DataMix(train=train, test=test, classes=VOC_CLASSES, from_coco=tuple(COCO_TO_VOC.items()))


def drawn_mix(data: DataName) -> DataMix:
    """Drawn counterparts of the paper's mixes: two data sets with one vocabulary, and one with a larger vocabulary."""
    first = Draw(packed=True)
    second = Draw(train=400, val=200, test=0, seed=12, packed=True, variant="drawn12")
    third = Draw(train=400, test=0, seed=7, packed=True, variant="drawn07")
    if data in ("coco", "ilsvrc"):
        drawn = Draw(vocabulary="coco", layout="coco", packed=True, variant="coco")
        train = CocoFolder(name="drawn-coco", split="train", within=drawn)
        test = CocoFolder(name="drawn-coco", split="test", within=drawn)
        protocol: Protocol = "coco" if data == "coco" else "ilsvrc"
        return DataMix(train=(train,), test=(test,), classes=DRAWN_COCO_CLASSES, protocol=protocol, scales="coco")
    train07, test07 = _drawn("drawn", first, "train"), _drawn("drawn", first, "test")
    train12, val12 = _drawn("drawn12", second, "train"), _drawn("drawn12", second, "val")
    trained, tested = {
        "07": ((_drawn("drawn07", third, "train"),), test07),
        "07+12": ((train07,), test07),
        "07+12train": ((train07, train12), val12),
        "07++12": ((train07, test07, train12), val12),
    }[data]
    return DataMix(train=trained, test=(tested,), classes=DRAWN_CLASSES, from_coco=tuple(DRAWN_COCO_TO_VOC.items()))


def data_root() -> str:
    """URI of the folder that holds the published data sets."""
    return Folder.at(os.environ.get("SSDPIPE_DATA", "data")).uri


def _drawn(name: str, drawn: Draw, split: str) -> VocFolder:
    return VocFolder(name=name, split=split, within=drawn)
