"""A file that has changed is noticed, also where times are whole seconds; an unchanged one is read once a process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from pipeline.folder import Folder
from pipeline.store import integrity
from pipeline.store.integrity import StoredFile, damaged
from pipeline.store.store import checksums
from tests.s3_server import S3Server


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """A folder in an S3 server."""
    import boto3
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "one")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "two")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket="results")
    yield Folder(f"s3://results/a?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1")
    server.stop()


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose content is read from now on."""
    names: list[str] = []
    real = integrity.sha256_of

    def noted(folder: Folder, name: str) -> str:
        names.append(name)
        return real(folder, name)

    monkeypatch.setattr(integrity, "sha256_of", noted)
    return names


def test_an_object_replaced_by_one_of_equal_size_in_the_same_second_is_noticed(
    bucket: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.write_bytes("a", b"hello")
    files, read = checksums(bucket), reads(monkeypatch)
    assert damaged(bucket, files) == []
    bucket.write_bytes("a", b"hallo")
    assert damaged(bucket, files) == ["a"]
    bucket.write_bytes("a", b"hello")
    assert damaged(bucket, files) == []
    assert damaged(bucket, files) == []
    assert read == ["a"]  # the first state is read with its tag, which is that of its content: the third is the first
    bucket.delete("a")
    assert damaged(bucket, files) == ["a"]


def test_a_local_file_is_read_once_for_each_of_its_states(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder.at(str(tmp_path_factory.mktemp("result")))
    folder.write_bytes("a", b"hello")
    files, read = checksums(folder), reads(monkeypatch)
    assert damaged(folder, files) == damaged(folder, files) == []
    folder.replace("a", b"hallo")  # another inode
    assert damaged(folder, files) == damaged(folder, files) == ["a"]
    assert read == ["a", "a"]


def test_small_objects_are_verified_by_one_request_each_and_recognised_later(s3: S3Server, s3_place: str) -> None:
    folder = Folder.at(s3_place)
    names = [f"{number}.xml" for number in range(5)]
    for name in names:
        folder.write_bytes(name, name.encode())
    files = [StoredFile(path=name, size=5, sha256=hashlib.sha256(name.encode()).hexdigest()) for name in names]
    with s3.counting() as first:
        assert damaged(folder, files) == []
    with s3.counting() as second:
        assert damaged(folder, files) == []
    assert (first, second) == ({"GET": 5}, {"HEAD": 5})
    folder.write_bytes(names[0], b"other")
    assert damaged(folder, files) == names[:1]
