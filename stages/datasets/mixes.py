"""The paper's data mixes, named as in its tables: sources that are concatenated, each image once.

07          VOC2007 trainval                                      5,011 images
07+12       VOC2007 trainval, VOC2012 trainval                    16,551
07++12      VOC2007 trainval and test, VOC2012 trainval           21,503; must not be scored on VOC2007 test
trainval35k COCO trainval35k, which is train2017                  118,287
ILSVRC      DET train and val1, images without boxes skipped

07+12+COCO and 07++12+COCO are not concatenations: a network is trained on trainval35k, with COCO's box scales, and then
fine-tuned on 07+12 or 07++12. `COCO_AS_VOC` is meant for custom mixes.
"""

from __future__ import annotations

from ssd_core.spec.vocabularies import COCO_TO_VOC
from stages.datasets.annotation import Naming
from stages.datasets.coco.coco_folder import CocoFolder
from stages.datasets.ilsvrc import IlsvrcDet
from stages.datasets.published import remedy
from stages.datasets.source import Source
from stages.datasets.voc import VocFolder

COCO_AS_VOC = Naming(rename=tuple(COCO_TO_VOC.items()), leave_out_others=True)
"""Keeps COCO's objects of VOC's twenty classes, under VOC's names."""


def voc(root: str, year: str, split: str) -> VocFolder:
    """One split of an official VOC set below the data folder. The annotations of VOC2012 test are not published."""
    name, annotated = f"voc{year}", (year, split) != ("2012", "test")
    return VocFolder(name=name, root=root, folder=f"VOC{year}", split=split, annotated=annotated, remedy=remedy(name))


def coco(root: str, split: str) -> CocoFolder:
    """One split of COCO below the data folder: train2017, val2017, trainval35k, minival, test-dev2017."""
    return CocoFolder(name="coco2017", root=f"{root}/coco2017", split=split, remedy=remedy("coco2017"))


def voc07(root: str) -> tuple[Source, ...]:
    return (voc(root, "2007", "trainval"),)


def voc07_12(root: str) -> tuple[Source, ...]:
    return (*voc07(root), voc(root, "2012", "trainval"))


def voc07_all_12(root: str) -> tuple[Source, ...]:
    """Sources of 07++12."""
    return (*voc07(root), voc(root, "2007", "test"), voc(root, "2012", "trainval"))


def coco_trainval35k(root: str) -> tuple[Source, ...]:
    return (coco(root, "trainval35k"),)


def ilsvrc_train(root: str) -> tuple[Source, ...]:
    """Sources of DET train and val1; the list of val1 is the user's."""
    splits = ("train", "val1")
    return tuple(IlsvrcDet(name="ilsvrc", root=f"{root}/ILSVRC", split=split, skip_empty=True) for split in splits)
