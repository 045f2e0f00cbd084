import pytest

from stages.datasets.annotation import Remark, UnreadableAnnotation
from stages.datasets.defects import Kind
from stages.datasets.ground_truth import repaired
from stages.datasets.xml.voc_xml import parse

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


BOX = "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>50</xmax><ymax>60</ymax></bndbox>"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


def remarks_on(inner: str) -> list[tuple[Kind, str, int | None]]:
    """Remarks on an annotation with these elements."""
    remarks = parse(f"<annotation>{inner}</annotation>".encode()).remarks
    return [(remark.kind, remark.detail, remark.number) for remark in remarks]


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (b"", "no element found: line 1, column 0"),
        (b"<annotation>\n<object>", "no element found: line 2, column 8"),
        ("<annotation>caf\xe9</annotation>".encode("latin-1"), "line 1, column 15"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "unknown encoding: no-such"),
        (b'<?xml version="1.0" encoding="hex"?><a/>', "'hex' is not a text encoding.*save the file as UTF-8"),
        (f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><annotation>&l11;</annotation>'.encode(), "amplification"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>', "undefined entity"),
    ],
)
def test_broken_xml_and_entities_that_multiply_or_read_files_are_refused_with_the_place(xml, reason):
    with pytest.raises(UnreadableAnnotation, match=reason) as raised:
        parse(xml)
    assert raised.value.kind is Kind.BROKEN_XML


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1", "gbk", "shift-jis", "cp1252"])
def test_xml_is_read_in_the_encoding_that_it_declares(encoding):
    name = "caf\u00e9" if encoding in ("latin-1", "cp1252") else "\u732b"
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    text = f'<?xml version="1.0" encoding="{declared}"?><annotation><object><name>{name}</name></object></annotation>'
    assert [item.name for item in parse(text.encode(encoding)).objects] == [name]


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (b"<annotations><image><box label='cat'/></image></annotations>", "root is <annotations>"),
        (b"<svg/>", "root is <svg>"),
        (b"<annotation><frame/><frame/><track/></annotation>", "holds <frame>, <track> and nothing of VOC"),
        (
            b"<annotation><filename/><objects><object><bndbox/></object></objects></annotation>",
            "boxes lie in <objects>, not in <object>",
        ),
    ],
)
def test_xml_of_another_kind_is_no_annotation_without_objects(xml, reason):
    with pytest.raises(UnreadableAnnotation, match=reason) as raised:
        parse(xml)
    assert raised.value.kind is Kind.FOREIGN_XML


@pytest.mark.parametrize(
    "xml",
    [
        f"<annotation xmlns='urn:x'><object><name>cat</name>{BOX}<difficult>1</difficult></object></annotation>",
        f"<Annotation><Object><Name>cat</Name>{BOX}<Difficult>1</Difficult></Object></Annotation>",
    ],
)
def test_names_of_elements_with_a_namespace_or_capitals_are_read_as_without_and_reported(xml):
    annotation = parse(xml.encode())
    assert [(item.name, item.box_xyxy, item.difficult) for item in annotation.objects] == [
        ("cat", (10, 20, 50, 60), True)
    ]
    assert [remark.kind for remark in annotation.remarks] == [Kind.ODD_TAGS]


def test_several_boxes_in_one_object_are_several_objects_and_reported():
    annotation = parse(
        f"<annotation><object><name>cat</name>{BOX}</object><object><name>dog</name>{BOX}{BOX}</object></annotation>".encode()
    )
    assert [item.name for item in annotation.objects] == ["cat", "dog", "dog"]
    assert annotation.remarks == (Remark(kind=Kind.SEVERAL_BOXES, detail="dog: 2 boxes", number=1),)


@pytest.mark.parametrize(
    ("text", "difficult"), [("1", True), (" True ", True), ("1.0", True), ("0", False), ("false", False), ("", False)]
)
def test_a_flag_is_read_in_digits_and_in_words(text, difficult):
    (item,) = parse(f"<annotation><object><difficult>{text}</difficult></object></annotation>".encode()).objects
    assert item.difficult is difficult


@pytest.mark.parametrize("text", ["Unspecified", "2", "yes"])
def test_another_flag_is_reported_with_its_object_and_not_taken_for_false(text):
    inner = f"<object><name>cat</name>{BOX}</object><object><name>dog</name><difficult>{text}</difficult></object>"
    ((kind, detail, number),) = remarks_on(inner)
    assert (kind, number) == (Kind.UNREADABLE_FLAG, 1)
    assert detail.startswith(f"dog: difficult is '{text}'")


@pytest.mark.parametrize(
    ("inner", "unread"),
    [
        ("<size/><imagesize/><imagesize/>", "<imagesize> of <annotation>, 2 times"),
        ("<object><iscrowd>1</iscrowd></object>", "<iscrowd> of <object>, 1 times"),
        ("<object><robndbox/></object><object><robndbox/></object>", "<robndbox> of <object>, 2 times"),
        ("<object><bndbox><angle>1</angle></bndbox></object>", "<angle> of <bndbox>, 1 times"),
        ("<object><name>cat</name><name>dog</name></object>", "another <name> of <object>, 1 times"),
        ("<size/><size/>", "another <size> of <annotation>, 1 times"),
        ("<object difficult='1'/>", "attribute difficult of <object>, 1 times"),
    ],
)
def test_an_element_that_is_not_read_is_reported_with_its_name_and_number(inner, unread):
    assert remarks_on(inner) == [(Kind.UNREAD, unread, None)]


def test_what_voc_and_common_tools_write_beside_class_and_box_is_not_reported():
    assert parse(ONE_PERSON).remarks == ()
    inner = "<folder/><filename/><path/><source><database/></source><segmented/><size><depth/></size>"
    inner += "<object><pose/><truncated/><occluded/><actions><jumping/></actions><point/><attributes/></object>"
    assert remarks_on(inner) == []
    assert parse(b'<annotation verified="yes"/>').remarks == ()


def test_a_stated_size_is_kept_even_if_it_is_zero_and_an_unreadable_one_reported():
    assert parse(b"<annotation><size><width>0</width><height>0</height></size></annotation>").size == (0, 0)
    for size, detail in (
        ("<width>wide</width><height>8</height>", "width is 'wide', not a number"),
        ("<width>100</width>", "height is missing"),
    ):
        assert remarks_on(f"<size>{size}</size>") == [(Kind.WRONG_SIZE, detail, None)]


@pytest.mark.parametrize(
    ("box", "fault"),
    [
        ("", "no <bndbox>"),
        ("<bndbox><xmin>1</xmin></bndbox>", "ymin is missing"),
        ("<bndbox><xmin>nan</xmin></bndbox>", "xmin is 'nan', not a finite number"),
        (BOX.replace("10", "1_0"), "xmin is '1_0', not a number"),
    ],
)
def test_an_object_without_four_finite_numbers_has_no_box_and_says_why(box, fault):
    (item,) = parse(f"<annotation><object><name>cat</name>{box}</object></annotation>".encode()).objects
    assert item.box_xyxy is None
    assert repaired(item.box_xyxy, (100, 80), item.box_fault) == (None, [(Kind.UNREADABLE_BOX, fault)])


@pytest.mark.parametrize("box", [(1, 1, 100, 80), (0, 0, 100, 80)])
def test_a_box_that_ends_at_the_width_or_begins_at_zero_is_inside(box):
    assert repaired(box, (100, 80)) == (box, [])


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
    repaired_box, defects = repaired(box, (100, 80))
    assert repaired_box == result
    assert [found for found, _ in defects] == [kind]


def test_both_defects_of_a_box_are_named():
    box, defects = repaired((120, 20, 10, 60), (100, 80))
    assert box == (10, 20, 100, 60)
    assert [kind for kind, _ in defects] == [Kind.SWAPPED_CORNERS, Kind.CLIPPED]
