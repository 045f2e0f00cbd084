import pytest

from stages.datasets.annotation import repaired
from stages.datasets.defects import Kind
from stages.datasets.voc_xml import parse

ONE_PERSON = b"""<annotation>
  <owner><name>somebody</name></owner>
  <size><width>500</width><height>375</height><depth>3</depth></size>
  <object>
    <name> person </name><difficult>1</difficult>
    <bndbox><xmin>45.5</xmin><ymin>10</ymin><xmax>200</xmax><ymax>300</ymax></bndbox>
    <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>
  </object>
</annotation>"""


def test_an_object_is_read_with_its_own_name_and_box_and_not_those_of_its_parts():
    annotation = parse(ONE_PERSON)
    assert annotation.size == (500, 375)
    (person,) = annotation.objects
    assert (person.name, person.box_xyxy, person.difficult) == ("person", (45.5, 10, 200, 300), True)


def test_an_annotation_without_objects_is_legal():
    assert parse(b"<annotation/>").objects == ()


@pytest.mark.parametrize("xml", [b"", b"<annotation><object>", b'<?xml version="1.0" encoding="no-such"?><a/>'])
def test_xml_that_is_not_well_formed_is_a_value_error(xml):
    with pytest.raises(ValueError, match=r".+"):
        parse(xml)


@pytest.mark.parametrize("box", ["", "<bndbox><xmin>1</xmin></bndbox>", "<bndbox><xmin>nan</xmin></bndbox>"])
def test_an_object_without_four_finite_numbers_has_no_box(box):
    (item,) = parse(f"<annotation><object><name>cat</name>{box}</object></annotation>".encode()).objects
    assert item.box_xyxy is None
    assert repaired(item.box_xyxy, 100, 80) == (None, [(Kind.UNREADABLE_BOX, "no box")])


@pytest.mark.parametrize("box", [(1, 1, 100, 80), (0, 0, 100, 80)])
def test_a_box_that_ends_at_the_width_or_begins_at_zero_is_inside(box):
    assert repaired(box, 100, 80) == (box, [])


@pytest.mark.parametrize(
    ("box", "result", "kind"),
    [
        ((50, 20, 10, 60), (10, 20, 50, 60), Kind.SWAPPED_CORNERS),
        ((10, 60, 50, 20), (10, 20, 50, 60), Kind.SWAPPED_CORNERS),
        ((-5, 20, 50, 60), (0, 20, 50, 60), Kind.CLIPPED),
        ((10, 20, 101, 81), (10, 20, 100, 80), Kind.CLIPPED),
        ((10, 20, 10, 60), None, Kind.ZERO_AREA),
        ((10, 20, 50, 20), None, Kind.ZERO_AREA),
        ((100, 20, 150, 60), None, Kind.OUTSIDE),
        ((-20, 20, 0, 60), None, Kind.OUTSIDE),
        ((10, 85, 50, 90), None, Kind.OUTSIDE),
    ],
)
def test_a_defective_box_is_repaired_or_left_out_and_its_defect_named(box, result, kind):
    repaired_box, defects = repaired(box, 100, 80)
    assert repaired_box == result
    assert [found for found, _ in defects] == [kind]


def test_both_defects_of_a_box_are_named():
    box, defects = repaired((120, 20, 10, 60), 100, 80)
    assert box == (10, 20, 100, 60)
    assert [kind for kind, _ in defects] == [Kind.SWAPPED_CORNERS, Kind.CLIPPED]
