"""Numbers that other implementations report for detectors of the paper, each with the page that it was read on.

Accuracies are fractions. Recipes, splits and evaluation differ from the paper's and from each other's: see `note`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reported:
    """One number of another implementation."""

    who: str
    value: float
    source: str
    note: str = ""


_GITHUB = "https://github.com"
_LUFFICC = f"{_GITHUB}/lufficc/SSD/blob/015e1d56ee6090b757f5891c2157b26f7bda270a/README.md"
_CHAINERCV = f"{_GITHUB}/chainer/chainercv/blob/0aedc724e22ddedeedf3f53e2a7659608d39676b/examples/ssd/README.md"
_MMDETECTION = f"{_GITHUB}/open-mmlab/mmdetection/blob"
_MM_VOC = f"{_MMDETECTION}/1821fddec6ce6b49775a7a0bf8dfd9cfd768da5e/configs/pascal_voc/README.md"
_MM_COCO = f"{_MMDETECTION}/01a796246d5f3d42d3d1338653e65cfc3e6bd49e/configs/ssd/README.md"
_TORCHVISION = "https://docs.pytorch.org/vision/stable/_modules/torchvision/models/detection/ssd.html"
_DEEP_LEARNING = f"{_GITHUB}/NVIDIA/DeepLearningExamples/blob/04099020ae68b5767bf5c74db3dcace0c215c730"
_NVIDIA = f"{_DEEP_LEARNING}/PyTorch/Detection/SSD/README.md"

REPORTED = {
    ("ssd300-expand-voc0712", "voc07/mAP"): (
        Reported(who="lufficc/SSD", value=0.7783, source=_LUFFICC),
        Reported(who="mmdetection", value=0.765, source=_MM_VOC, note="120 epochs"),
        Reported(who="ChainerCV", value=0.778, source=_CHAINERCV, note="weights converted from Caffe"),
    ),
    ("ssd512-expand-voc0712", "voc07/mAP"): (
        Reported(who="lufficc/SSD", value=0.8025, source=_LUFFICC),
        Reported(who="mmdetection", value=0.795, source=_MM_VOC, note="120 epochs"),
        Reported(who="ChainerCV", value=0.797, source=_CHAINERCV, note="weights converted from Caffe"),
    ),
    ("ssd300-expand-coco", "coco/AP"): (
        Reported(who="mmdetection", value=0.259, source=_MM_COCO, note="120 epochs"),
        Reported(who="torchvision", value=0.251, source=_TORCHVISION, note="val2017"),
        Reported(
            who="NVIDIA",
            value=0.2670691823,
            source=_NVIDIA,
            note="ResNet-50, TF32, 15 seeds ± 0.16",
        ),
    ),
    ("ssd512-expand-coco", "coco/AP"): (Reported(who="mmdetection", value=0.298, source=_MM_COCO, note="120 epochs"),),
}
"""Numbers by the name of the nearest run, and the metric."""
