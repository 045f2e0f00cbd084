"""Class lists compared with the maps of the released code."""

from __future__ import annotations

from ssd_core.spec.vocabularies import COCO_CATEGORIES, COCO_CLASSES, COCO_TO_VOC, VOC_CLASSES

# COCO's contiguous id (from 1) to VOC's id: data/VOC0712/coco_voc_map.txt of weiliu89/caffe
OFFICIAL_MAP = {
    5: 1, 2: 2, 15: 3, 9: 4, 40: 5, 6: 6, 3: 7, 16: 8, 57: 9, 20: 10, 61: 11, 17: 12, 18: 13, 4: 14, 1: 15, 59: 16,
    19: 17, 58: 18, 7: 19, 63: 20,
}  # fmt: skip


def test_coco_has_eighty_classes_under_ids_from_1_to_90():
    assert len(COCO_CLASSES) == len(set(COCO_CLASSES)) == 80
    assert set(range(1, 91)) - set(COCO_CATEGORIES) == {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}


def test_coco_classes_map_to_voc_as_in_the_released_table():
    ids = {COCO_CLASSES.index(coco) + 1: VOC_CLASSES.index(voc) + 1 for coco, voc in COCO_TO_VOC.items()}
    assert ids == OFFICIAL_MAP
