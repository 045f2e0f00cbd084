"""The CSV layout, with files that the tests write beside the images of a small VOC folder."""

import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from ssd_core.data.shards import ShardSet
from stages.datasets.csv_files.csv_boxes import CsvBoxes
from stages.datasets.csv_files.csv_table import splits_of
from stages.datasets.defects import Kind
from stages.shards.shard import Shard

HEADER = "image,xmin,ymin,xmax,ymax,class\n"


@pytest.fixture
def root(voc):
    return voc.root


def write(root, text, name="train.csv"):
    (root / name).write_text(text, encoding="utf-8")
    return root


def source(root, split="train"):
    return CsvBoxes(name="table", split=split, root=str(root))


def rows(root, in_process, split="train"):
    stage = Shard(sources=(source(root, split),))
    stage.external_digest()
    stage.run(ctx := in_process(stage))
    return list(ShardSet(ctx.out.path)), ctx.out.read_json("report.json")


def test_the_lines_of_an_image_are_its_objects_in_order(root, in_process):
    write(root, HEADER + "b.jpg,1,2,30,40,dog\na.jpg,5,6,7.5,8,cat\nb.jpg,10,20,50,60,cat\n")
    found, report = rows(root, in_process)
    assert [row.image_id for row in found] == ["b.jpg", "a.jpg"]
    np.testing.assert_array_equal(found[0].boxes_xyxy, [[1, 2, 30, 40], [10, 20, 50, 60]])
    np.testing.assert_array_equal(found[0].labels, [1, 0])
    assert report["defects"] == {}


def test_columns_are_matched_by_name_in_any_order_and_despite_a_byte_order_mark(root, in_process):
    write(
        root, "\ufeffclass,ymax,xmax,ymin,xmin,filename,difficult,width,height,note\ncat,60,50,20,10,a.jpg,1,100,80,x\n"
    )
    (row,), report = rows(root, in_process)
    np.testing.assert_array_equal(row.boxes_xyxy, [[10, 20, 50, 60]])
    np.testing.assert_array_equal(row.difficult, [True])
    assert report["defects"] == {Kind.UNREAD: 1}
    assert report["list"][0]["detail"] == "column note"


def test_a_line_without_a_box_lists_an_image_without_objects(root, in_process):
    write(root, HEADER + "a.jpg,,,,,\nb.jpg,1,1,9,9,dog\n")
    found, report = rows(root, in_process)
    assert [len(row.labels) for row in found] == [0, 1]
    assert report["images_without_objects"] == 1


def test_an_image_without_a_file_is_left_out_with_its_boxes(root, in_process):
    write(root, HEADER + "a.jpg,1,1,9,9,cat\nnone.jpg,1,1,9,9,cat\n")
    _, report = rows(root, in_process)
    assert (report["defects"], report["boxes_of_left_out_images"]) == ({"missing image": 1}, 1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.jpg,1,1,9,cat", "5 values for 6 columns"),
        ("a.jpg,1,1,9,9,cat,dog", "7 values for 6 columns"),
        ("a.jpg,1,one,9,9,cat", "ymin is 'one', not a number"),
        ("a.jpg,1,,9,9,cat", "ymin is missing"),
        ("a.jpg,1,nan,9,9,cat", "ymin is 'nan', not a finite number"),
        ('a.jpg,1,"1,5",9,9,cat', "ymin is '1,5', not a number; write decimals with a point"),
        ("a.jpg,1,1,9,9,", "class is empty"),
        (",1,1,9,9,cat", "image is empty"),
    ],
)
def test_an_invalid_line_is_refused_with_its_number(root, line, message):
    write(root, HEADER + f"a.jpg,1,1,9,9,cat\n{line}\n")
    with pytest.raises(PipelineError, match=rf"train.csv, line 3: .*{message}"):
        source(root).digest()


def test_a_column_can_hold_the_splits_of_a_single_file(root, in_process):
    write(root, "split," + HEADER + "train,a.jpg,1,1,9,9,cat\ntest,b.jpg,1,1,9,9,dog\n", "boxes.csv")
    assert splits_of(Folder.at(str(root))) == ["test", "train"]
    assert source(root, "test").survey().ids == ["b.jpg"]
    with pytest.raises(PipelineError, match=r"no split 'val' in a CSV; .*there are: test, train"):
        source(root, "val").digest()


def test_a_folder_without_a_csv_of_boxes_is_refused(root):
    with pytest.raises(PipelineError, match=r"holds no .csv with boxes"):
        source(write(root, "image,class\na.jpg,cat\n")).digest()


def test_the_digest_depends_on_the_lines_and_the_images(root):
    digests = [source(write(root, HEADER + "a.jpg,1,1,9,9,cat\n")).digest()]
    digests.append(source(write(root, HEADER + "a.jpg,1,1,9,8,cat\n")).digest())
    (root / "JPEGImages/a.jpg").write_bytes(b"another size")
    digests.append(source(root).digest())
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    ("size", "message"), [("-inf", "'-inf', not a finite number"), ("wide", "'wide', not a number")]
)
def test_a_size_that_is_no_number_is_refused_with_its_line(root, size, message):
    write(root, f"width,height,{HEADER}{size},80,a.jpg,1,1,9,9,cat\n")
    with pytest.raises(PipelineError, match=rf"train.csv, line 2: width is {message}"):
        source(root).digest()


def test_bad_rows_are_reported_together_the_first_ten_with_the_total(root):
    write(root, HEADER + "a.jpg,1,1,9,9,cat\n" + "a.jpg,1,x,9,9,cat\n" * 11 + "a.jpg,1\n")
    with pytest.raises(PipelineError, match=r"train.csv: 12 rows cannot be read:\n  line 3: ymin") as error:
        source(root).digest()
    assert str(error.value).endswith("line 12: ymin is 'x', not a number\n  and 2 more")


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_spreadsheets_separate_by_semicolon_or_tab_and_write_utf_16(root, in_process, separator, encoding):
    text = (HEADER + "a.jpg,5,6,7.5,8,k\u00e4fer\n").replace(",", separator)
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    (root / "train.csv").write_bytes((mark + text).replace("\n", "\r\n").encode(encoding))
    (row,), report = rows(root, in_process)
    np.testing.assert_array_equal(row.boxes_xyxy, [[5, 6, 7.5, 8]])
    assert source(root).survey().objects_per_class == {"k\u00e4fer": 1}
    assert report["defects"] == {}


def test_a_file_in_another_encoding_is_refused_with_line_and_byte(root):
    (root / "train.csv").write_bytes((HEADER + "a.jpg,1,1,9,9,k\u00e4fer\n").encode("latin-1"))
    with pytest.raises(PipelineError, match=r"train.csv, line 2: byte 0xe4 at position \d+ is not UTF-8; save"):
        source(root).digest()


@pytest.mark.parametrize(
    ("text", "expected"), [("TRUE", True), ("1", True), ("False", False), ("0", False), ("", False)]
)
@pytest.mark.parametrize("column", ["difficult", "iscrowd", "crowd"])
def test_flags_are_read_in_any_spelling(root, in_process, column, text, expected):
    write(root, f"{column},{HEADER}{text},a.jpg,1,1,9,9,cat\n")
    (row,), _ = rows(root, in_process)
    assert getattr(row, column.removeprefix("is"))[0] == expected


@pytest.mark.parametrize("column", ["difficult", "iscrowd", "crowd"])
def test_a_flag_in_other_words_is_refused_with_its_line(root, column):
    write(root, f"{column},{HEADER}Unspecified,a.jpg,1,1,9,9,cat\n")
    with pytest.raises(PipelineError, match=r"line 2: .* is 'Unspecified': write 0 or 1, or false or true"):
        source(root).digest()


def test_two_columns_of_the_class_may_complete_but_not_contradict_each_other(root):
    columns = "label,image,xmin,ymin,xmax,ymax,class\n"
    write(root, columns + ",a.jpg,1,1,9,9,cat\ndog,a.jpg,1,1,9,9,\ncat,a.jpg,2,2,9,9,cat\n")
    assert source(root).survey().objects_per_class == {"cat": 2, "dog": 1}
    write(root, columns + "dog,a.jpg,1,1,9,9,cat\n")
    with pytest.raises(PipelineError, match="line 2: class is 'cat' but label is 'dog': remove one"):
        source(root).digest()


def test_sizes_that_contradict_each_other_are_reported(root, in_process):
    write(root, "width,height," + HEADER + "100,80,a.jpg,1,1,9,9,cat\n80,100,a.jpg,2,2,9,9,cat\n")
    _, report = rows(root, in_process)
    assert [(item["kind"], item["detail"]) for item in report["list"]] == [
        (Kind.WRONG_SIZE, "line 3: 80x100, but line 2: 100x80")
    ]


@pytest.mark.parametrize("name", ["pics/a.jpg", "./pics/a.jpg", "pics\\a.jpg", "pics/a", "a.jpg"])
def test_an_image_is_named_by_its_path_or_its_name_alone(root, in_process, name):
    (root / "pics").mkdir()
    (root / "JPEGImages/a.jpg").rename(root / "pics/a.jpg")
    write(root, HEADER + f"{name},1,1,9,9,cat\n")
    (row,), report = rows(root, in_process)
    assert (row.image_id, report["images_written"]) == (name, 1)


def test_names_of_one_file_are_one_image_with_the_name_of_its_first_row(root, in_process):
    write(root, HEADER + "a.jpg,1,1,9,9,cat\nJPEGImages/a.jpg,2,2,9,9,cat\nJPEGImages\\a,3,3,9,9,cat\n")
    (row,), report = rows(root, in_process)
    assert (row.image_id, len(row.labels), report["defects"]) == ("a.jpg", 3, {})


def test_each_split_finds_its_own_files_and_never_those_of_another(root):
    for split, image in (("train", "a"), ("test", "b")):
        (root / split).mkdir()
        (root / f"JPEGImages/{image}.jpg").rename(root / f"{split}/x.jpg")
        write(root, HEADER + "x.jpg,1,1,9,9,cat\nabsent.jpg,1,1,9,9,cat\n", f"{split}.csv")
    (root / "test/absent.jpg").write_bytes(b"of the test split")
    assert source(root).survey().files == ["train/x.jpg", ""]
    assert source(root, "test").survey().files == ["test/x.jpg", "test/absent.jpg"]


def test_a_file_that_lacks_a_column_is_refused_beside_files_that_have_all(root):
    write(root, HEADER + "a.jpg,1,1,9,9,cat\n")
    write(root, "image,xmin,ymin,xmax,class\na.jpg,1,1,9,cat\n", "test.csv")
    write(root, "class,count\ncat,1\n", "classes.csv")
    with pytest.raises(PipelineError, match=r"test.csv lacks the columns ymax; it has image, xmin, ymin, xmax, class"):
        source(root).digest()


@pytest.mark.parametrize(("wrong", "usual"), [("tset", "test"), ("Train", "train"), ("trian", "train")])
def test_a_split_that_looks_misspelled_is_refused(root, wrong, usual):
    lines = f"train,a.jpg,1,1,9,9,cat\ntest,b.jpg,1,1,9,9,dog\n{wrong},b.jpg,1,1,9,9,dog\n"
    write(root, f"split,{HEADER}{lines}", "boxes.csv")
    with pytest.raises(
        PipelineError, match=rf"line 4: split '{wrong}', in 1 of 3 rows, looks like a misspelling of '{usual}'"
    ):
        splits_of(Folder.at(str(root)))


def test_numbered_parts_are_splits(root):
    write(
        root, f"split,{HEADER}" + "".join(f"{part},a.jpg,1,1,9,9,cat\n" for part in ("fold1", "fold2", "test", "testA"))
    )
    assert splits_of(Folder.at(str(root))) == ["fold1", "fold2", "test", "testA"]
