from ssd_core.metrics.analysis.groups import VOC_GROUPS, VOC_SHOWN, VOC_SIMILAR, coco_supercategories, similar_labels
from ssd_core.spec.vocabularies import COCO_CLASSES, VOC_CLASSES


def test_groups_and_sets_name_classes_of_voc():
    named = {name for _, names in VOC_GROUPS for name in names} | {name for names in VOC_SIMILAR for name in names}
    assert named | set(VOC_SHOWN) <= set(VOC_CLASSES)


def test_a_class_in_two_sets_is_similar_to_the_others_of_both():
    alike = {VOC_CLASSES[label] for label in similar_labels("bird", VOC_CLASSES, VOC_SIMILAR)}
    assert alike == {"cat", "cow", "dog", "horse", "person", "sheep", "aeroplane"}
    assert similar_labels("bottle", VOC_CLASSES, VOC_SIMILAR) == frozenset()


def test_the_twelve_supercategories_of_coco_hold_each_class_once():
    groups = dict(coco_supercategories())
    assert [name for names in groups.values() for name in names] == list(COCO_CLASSES)
    # Numbers of classes as on cocodataset.org
    assert [len(names) for names in groups.values()] == [1, 8, 5, 10, 5, 10, 7, 10, 6, 6, 5, 7]
    assert groups["vehicle"][-1] == "boat"
    assert groups["indoor"][0] == "book"
