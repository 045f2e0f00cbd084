"""A folder on S3: where it lies, what it costs, and writes on a condition."""

from __future__ import annotations

import pickle
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pyarrow import fs

from pipeline.folder import Folder
from pipeline.s3_place import completed
from pipeline.store.faults import as_place_error, as_store_fault
from tests.s3_server import S3Server


def test_a_folder_on_s3_reads_what_it_wrote(s3_place: str) -> None:
    folder = Folder.at(s3_place) / "a"
    folder.write_bytes("b/c.txt", b"one")
    with folder.open_output("b/d.gz") as stream:
        stream.write(b"two")
    folder.append("log", b"1\n")
    folder.append("log", b"2\n")
    assert folder.read_bytes("b/c.txt") == b"one"
    with folder.open_input("b/d.gz") as stream:
        assert stream.read() == b"two"
    assert folder.read_bytes("log") == b"1\n2\n"
    assert folder.sizes() == {"b/c.txt": 3, "b/d.gz": 3, "log": 4}
    assert (folder / "b").files() == ["c.txt", "d.gz"]
    assert folder.exists("b")
    assert folder.is_file("b/c.txt")
    assert not folder.is_file("b")
    assert not folder.exists("b/c")
    with pytest.raises(FileNotFoundError):
        folder.read_bytes("b")
    assert pickle.loads(pickle.dumps(folder)).read_bytes("b/c.txt") == b"one"


def test_deleting_a_folder_leaves_its_neighbours_and_no_marker(s3_place: str) -> None:
    folder = Folder.at(s3_place)
    for name in ("a/1", "a/2/3", "ab", "b"):
        folder.write_bytes(name, b"")
    folder.delete("a")
    assert folder.files() == ["ab", "b"]
    folder.delete("absent")
    folder.delete_file("absent")
    folder.delete()
    assert folder.files() == []
    assert not folder.exists()


def test_markers_of_folders_that_other_programs_leave_are_no_files(s3_place: str) -> None:
    folder = Folder.at(s3_place)
    folder.write_bytes("a/b/c", b"1")
    folder.write_bytes("empty", b"")
    folder.filesystem.create_dir(f"{folder.path}/a/b", recursive=True)
    assert folder.files() == ["a/b/c", "empty"]
    assert (folder / "a/b").files() == ["c"]
    (folder / "a").delete()
    assert folder.files() == ["empty"]
    assert folder.filesystem.get_file_info(f"{folder.path}/a/b").type == fs.FileType.NotFound


def test_moving_a_file_leaves_no_marker(s3_place: str) -> None:
    folder = Folder.at(s3_place)
    (folder / "a").write_bytes("1", b"one")
    (folder / "a").move("1", folder / "b")
    assert folder.files() == ["b/1"]
    assert folder.filesystem.get_file_info(f"{folder.path}/a").type == fs.FileType.NotFound


def test_a_small_file_costs_one_request(s3: S3Server, s3_place: str) -> None:
    folder = Folder.at(s3_place)
    folder.exists()
    with s3.counting() as counts:
        folder.write_bytes("a/b/c", b"0123456789")
        folder.replace("a/b/c", b"9876543210")
        with folder.open_output("a/b/d") as stream:
            stream.write(b"0123456789")
    assert counts == {"PUT": 3}
    with s3.counting() as counts:
        folder.read_bytes("a/b/c")
    assert counts == {"GET": 1}
    with s3.counting() as counts:
        folder.delete_file("a/b/c")
        assert folder.sizes() == {"a/b/d": 10}
    assert counts == {"DELETE": 1, "LIST": 1}


def test_the_endpoint_may_be_part_of_the_uri(s3: S3Server, s3_place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    address = s3.url.removeprefix("http://")
    folder = Folder.at(f"{s3_place}?endpoint_override={address}&scheme=http") / "a" / "b"
    folder.write_bytes("c", b"1")
    assert folder.read_bytes("c") == b"1"
    with folder.open_input("c") as stream:
        assert stream.read() == b"1"
    assert folder.shown == f"{s3_place}/a/b?endpoint_override={address}&scheme=http"


def test_credentials_may_be_part_of_the_uri(s3: S3Server, s3_place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    folder = Folder.at(s3_place.replace("://", "://test:se%2Fcret@"))
    folder.write_bytes("c", b"1")
    assert folder.read_bytes("c") == b"1"
    assert folder.shown == s3_place


def test_a_profile_gives_endpoint_and_credentials(
    s3: S3Server, s3_place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(f"[profile lab]\nregion = eu-west-1\nendpoint_url = {s3.url}\n", encoding="utf-8")
    (tmp_path / "credentials").write_text("[lab]\naws_access_key_id=a\naws_secret_access_key=b\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "lab")
    folder = Folder.at(s3_place)
    folder.write_bytes("c", b"1")
    with folder.open_input("c") as stream:
        assert stream.read() == b"1"
    assert folder.filesystem.region == "eu-west-1"


def test_the_environment_completes_a_uri_but_does_not_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://general:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://special:2")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert "endpoint_override=special%3A2" in completed("s3://b/p")
    given = completed("s3://b/p?region=eu&endpoint_override=mine:3&scheme=http")
    assert "region=eu" in given
    assert "endpoint_override=mine%3A3" in given
    assert "scheme=http&" in given


def test_a_conditional_write_happens_once(s3_place: str) -> None:
    objects = Folder.at(s3_place).objects
    first = objects.create("k", b"1")
    assert first
    assert not objects.create("k", b"2")
    second = objects.update("k", b"3", first)
    assert second
    assert not objects.update("k", b"4", first)
    assert objects.read("k").content == b"3"
    objects.delete("k")
    assert not objects.update("k", b"5", second)
    assert not objects.exists("k")


def test_a_server_that_does_not_answer_is_an_os_error(s3_place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9"):
        Folder.at(s3_place).read_bytes("a")


class _Refusing(BaseHTTPRequestHandler):
    """Answers each request as a server does for a key that is wrong or has no rights."""

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(401 if "wrong" in self.path else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_HEAD = _refuse  # noqa: N815 - of the standard library

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_credentials_that_are_refused_are_a_fault_of_the_store_in_each_operation() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"?endpoint_override=http://127.0.0.1:{server.server_port}&region=us-east-1"
        for name in ("wrong", "barred"):
            folder = Folder.at(f"s3://key:secret@bucket/{name}{place}")
            for operation in (
                folder.read_bytes,
                folder.exists,
                folder.is_file,
                partial(folder.write_bytes, content=b""),
            ):
                with pytest.raises(OSError, match="S3 error") as refused:
                    operation("a")
                assert as_store_fault(refused.value, folder)
                assert as_place_error(refused.value)
        server.shutdown()
