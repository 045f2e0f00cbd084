"""The CSV layout, with files that the tests write beside the images of a small VOC folder."""

import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from ssd_core.data.shards import ShardSet
from stages.datasets.csv_boxes import CsvBoxes, splits_of
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
    assert report["defects"] == {}


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
        ("a.jpg,1,1,9,cat", "must be four numbers"),
        ("a.jpg,1,one,9,9,cat", "must be four numbers"),
        ("a.jpg,1,nan,9,9,cat", "must be finite"),
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
