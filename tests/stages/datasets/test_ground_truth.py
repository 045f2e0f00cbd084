"""Which objects are kept; the repair of single boxes is tested in test_voc_xml.py."""

from stages.datasets.annotation import AnnotatedObject, Naming, Remark
from stages.datasets.defects import Kind
from stages.datasets.ground_truth import counted, kept_objects


def cat(*box, **more):
    return AnnotatedObject(name="cat", box_xyxy=box or None, **more)


def test_sound_objects_are_kept_unchanged_and_in_order():
    objects = [cat(1, 2, 30, 40, difficult=True), cat(5.5, 6, 7, 8, area=3.0, annotation_id=9)]
    kept, defects = kept_objects(objects, (100, 80))
    assert [(item.number, item.box_xyxy, item.area, item.annotation_id) for item in kept] == [
        (0, (1, 2, 30, 40), 30 * 39, 0),
        (1, (5.5, 6, 7, 8), 3.0, 9),
    ]
    assert [item.annotated for item in kept] == objects
    assert defects == []


def test_names_are_those_of_the_shards_and_other_classes_are_counted():
    objects = [cat(1, 2, 3, 4), AnnotatedObject(name="", box_xyxy=(1, 2, 3, 4)), cat(1, 2, 3, 4, crowd=True)]
    kept, defects = kept_objects(objects, None, naming=Naming(rename=(("cat", "kitten"),)))
    assert [item.name for item in kept] == ["kitten", "kitten"]
    assert [(defect.kind, defect.number) for defect in defects] == [(Kind.NO_CLASS, 1)]
    assert kept_objects(objects[:1], None, ignored=["cat"]) == (
        [],
        [Remark(kind=Kind.IGNORED_CLASS, detail="cat", number=0)],
    )


def test_a_size_that_is_not_stated_clips_nothing():
    for size in (None, (0, 0)):
        (item,), defects = kept_objects([cat(500, -20, 10, 9000)], size)
        assert item.box_xyxy == (10, -20, 500, 9000)
        assert [defect.kind for defect in defects] == [Kind.SWAPPED_CORNERS]


def test_notes_count_defects_and_state_their_consequence():
    objects = [cat(9, 2, 3, 4), cat(3, 2, 9, 4), cat(5, 5, 5, 9), cat()]
    assert counted(kept_objects(objects, (100, 80))[1]) == (
        "box without four finite numbers: 1, box left out",
        "zero area: 1, box left out",
        "swapped corners: 1, repaired",
        "object annotated twice: 1, kept unchanged",
    )
