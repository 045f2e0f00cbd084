import pytest

from stages.drawn.vocabulary import COCO_LIKE, DRAWN_COCO_TO_VOC, VOC_LIKE


def test_each_class_of_the_first_vocabulary_is_in_the_second_with_the_same_looks():
    first = {item.name: item for item in VOC_LIKE.classes}
    second = {item.name: item for item in COCO_LIKE.classes}
    assert sorted(DRAWN_COCO_TO_VOC.values()) == sorted(first)
    for theirs, ours in DRAWN_COCO_TO_VOC.items():
        assert (second[theirs].shape, second[theirs].hue) == (first[ours].shape, first[ours].hue)


@pytest.mark.parametrize("vocabulary", [VOC_LIKE, COCO_LIKE])
def test_groups_hold_each_class_once_and_similar_classes_exist(vocabulary):
    assert sorted(name for _, names in vocabulary.groups for name in names) == sorted(vocabulary.names)
    assert {name for names in vocabulary.similar for name in names} <= set(vocabulary.names)


@pytest.mark.parametrize("vocabulary", [VOC_LIKE, COCO_LIKE])
def test_category_ids_ascend_and_have_gaps_like_those_of_coco(vocabulary):
    ids = [item.category for item in vocabulary.classes]
    assert ids == sorted(set(ids))
    assert ids[-1] > len(ids)
