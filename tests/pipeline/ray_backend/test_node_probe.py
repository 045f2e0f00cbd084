"""What the nodes of a cluster are asked before a run, on a local session."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.ray_backend.data_place import DataPlace
from pipeline.ray_backend.each_node import ClusterNode
from pipeline.ray_backend.node_probe import Report, _refuse, check_nodes, look
from pipeline.ray_backend.same_code import Code


@pytest.mark.usefixtures("ray_session")
def test_nodes_that_see_the_store_and_have_the_code_are_accepted_and_the_probe_is_deleted(tmp_path: Path) -> None:
    assert check_nodes(Folder(str(tmp_path))) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("ray_session")
def test_a_node_looks_for_the_probe_and_at_the_code(tmp_path: Path) -> None:
    store, code = Folder(str(tmp_path)), Code.this()
    assert "probe" in look(store, "probe", b"x", code).store_error
    store.write_bytes("probe", b"y")
    assert look(store, "probe", b"x", code).store_error == "it holds other files"
    other = Code("another-node", {**code.parts, "ssd_core.boxes.coding": "changed"})
    report = look(store, "probe", b"y", other)
    assert report.store_error == ""
    assert "differs from the driver's in ssd_core.boxes.coding" in report.code_error


def test_a_store_that_a_node_does_not_see_is_refused_with_the_node_and_the_remedy(tmp_path: Path) -> None:
    reports = {node("10.0.0.1"): Report(), node("10.0.0.2"): Report(store_error="No such file or directory")}
    with pytest.raises(PipelineError) as refused:
        _refuse(reports, Folder(str(tmp_path)))
    assert f"1 of 2 nodes do not see the store {tmp_path}:\n  10.0.0.2: No such file" in str(refused.value)
    assert "Mount the same folder at the same path on every node" in str(refused.value)


def test_data_that_a_node_which_shards_does_not_see_are_refused_with_the_node_and_the_remedy(tmp_path: Path) -> None:
    places = (DataPlace.of(str(tmp_path)),)
    absent = Report(data_errors=("it does not exist",))
    _refuse({node("10.0.0.1"): Report(data_errors=("",)), node("10.0.0.2", cpus=0): absent}, Folder("/store"), places)
    with pytest.raises(PipelineError) as refused:
        _refuse({node("10.0.0.1"): Report(data_errors=("",)), node("10.0.0.2"): absent}, Folder("/store"), places)
    assert f"1 of 2 nodes that shard do not see the data {tmp_path}:\n  10.0.0.2: it does not exist" in str(
        refused.value
    )
    assert "Mount the same folder at the same path on every node, or name an s3:// place" in str(refused.value)


def test_a_data_set_is_seen_where_the_first_names_in_it_are(tmp_path: Path) -> None:
    voc, list_file = tmp_path / "voc", tmp_path / "boxes.csv"
    for name in ("Annotations", "ImageSets", "JPEGImages"):
        (voc / name).mkdir(parents=True)
    list_file.touch()
    place, file = DataPlace.of(str(voc)), DataPlace.of(str(list_file))
    assert (place.fault(), file.fault()) == ("", "")
    (voc / "JPEGImages").rmdir()
    assert place.fault() == "it lacks JPEGImages"
    list_file.unlink()
    assert file.fault() == "it does not exist"


def test_data_sets_in_an_object_store_are_seen_too(s3_place: str) -> None:
    folder = Folder.at(s3_place)
    folder.write_bytes("JPEGImages/a.jpg", b"")
    place = DataPlace.of(s3_place)
    assert place.names == ("JPEGImages",)
    assert place.fault() == ""
    folder.delete()
    assert place.fault() == "it does not exist"


def node(address: str, cpus: float = 8) -> ClusterNode:
    return ClusterNode(id=address, address=address, cpus=cpus, gpus=0, is_head=False)
