"""Archives that are complete, damaged, too large, or have members that cannot be unpacked."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from pipeline.errors import PipelineError
from stages.datasets.fetch.archives import unpack

FILES = {
    "VOCdevkit/VOC2007/Annotations/a.xml": b"<annotation/>" * 50,
    "VOCdevkit/VOC2007/JPEGImages/a.jpg": b"\xff\xd8" * 900,
}
Packed = Callable[[Mapping[str, bytes]], Path]


def tarred(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


@pytest.fixture(params=[tarred, zipped])
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Packed:
    return lambda files: request.param(tmp_path / "archive", files)


def ignore(done: int, total: int) -> None:
    pass


def test_all_files_are_written_and_counted(packed: Packed, tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    assert unpack(packed(FILES), tmp_path / "to", lambda done, total: progress.append((done, total))) == 2
    assert {name: (tmp_path / "to" / name).read_bytes() for name in FILES} == FILES
    assert progress == [(1, 2), (2, 2)]


def test_unpacking_again_writes_only_what_is_missing_or_short(packed: Packed, tmp_path: Path) -> None:
    archive, (whole, short) = packed(FILES), [tmp_path / "to" / name for name in FILES]
    unpack(archive, tmp_path / "to", ignore)
    whole.touch()
    stamp = whole.stat().st_mtime_ns
    short.write_bytes(b"\xff")
    unpack(archive, tmp_path / "to", ignore)
    assert whole.stat().st_mtime_ns == stamp
    assert short.read_bytes() == FILES["VOCdevkit/VOC2007/JPEGImages/a.jpg"]


@pytest.mark.parametrize("name", ["../outside.txt", "a/../../outside.txt", "/outside.txt"])
def test_a_member_outside_the_folder_refuses_the_archive_before_anything_is_written(
    packed: Packed, tmp_path: Path, name: str
) -> None:
    with pytest.raises(PipelineError, match="lies outside"):
        unpack(packed({**FILES, name: b"x"}), tmp_path / "to", ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_links_in_a_tar_are_skipped(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "archive", "w") as tar:
        link = tarfile.TarInfo("passwords")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    assert unpack(tmp_path / "archive", tmp_path / "to", ignore) == 0


def test_a_tar_whose_last_member_is_a_zip_is_unpacked_as_a_tar(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"inside.txt": b"x"}).read_bytes()
    archive = tarred(tmp_path / "outer.tar", {"inner.zip": inner})
    assert unpack(archive, tmp_path / "out", ignore) == 1
    assert (tmp_path / "out/inner.zip").read_bytes() == inner


def test_a_truncated_archive_is_refused(packed: Packed, tmp_path: Path) -> None:
    archive = packed(FILES)
    archive.write_bytes(archive.read_bytes()[:1500])
    with pytest.raises(PipelineError, match="damaged"):
        unpack(archive, tmp_path / "to", ignore)


def test_a_changed_byte_in_a_zip_is_detected_by_its_own_checksum(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", FILES)
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"<annotation/>", b"<annotatiom/>", 1))
    with pytest.raises(PipelineError, match="CRC"):
        unpack(archive, tmp_path / "to", ignore)
    assert not (tmp_path / "to" / "VOCdevkit/VOC2007/Annotations/a.xml").exists()


@pytest.mark.parametrize("name", [".", "./", "a/.."])
def test_a_member_that_is_the_folder_itself_refuses_the_archive(tmp_path: Path, name: str) -> None:
    with pytest.raises(PipelineError, match="itself, not a file in it; nothing was unpacked"):
        unpack(tarred(tmp_path / "archive", {**FILES, name: b"x"}), tmp_path / "to", ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["a", "./a"], "takes the name of another member"),
        (["a", "a/b"], "takes the name of another member"),
        (["a/b", "a"], "takes the name of another member"),
        (["a", "a.part"], "by .part only"),
        (["a.part", "a"], "by .part only"),
        (["n" * 256], "has a part of 256 bytes, but a file name takes 250"),
        (["\N{BICYCLE}" * 63], "has a part of 252 bytes"),
        (["d/" * 2100 + "f"], "lies in 2,100 folders within each other, but archives are unpacked up to 99"),
        ([f"{'n' * 200}/" * 25 + "f"], "but a path takes 4,090"),
    ],
    ids=[
        "twice",
        "file, then folder",
        "folder, then file",
        "part",
        "part first",
        "long",
        "long in bytes",
        "deep",
        "long path",
    ],
)
def test_a_name_that_is_too_long_or_taken_refuses_the_archive_before_anything_is_written(
    packed: Packed, tmp_path: Path, names: list[str], problem: str
) -> None:
    with pytest.raises(PipelineError, match=problem):
        unpack(packed({**FILES, **dict.fromkeys(names, b"x")}), tmp_path / "to", ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_a_zip_that_holds_a_name_twice_is_refused(tmp_path: Path) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        warnings.simplefilter("ignore")  # zipfile warns of the duplicate
        archive.writestr("a", b"1")
        archive.writestr("a", b"2")
    with pytest.raises(PipelineError, match="'a', which takes the name of another member"):
        unpack(tmp_path / "archive", tmp_path / "to", ignore)


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def test_an_archive_that_declares_more_than_the_largest_ratio_is_refused_by_its_headers(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(header("a", 1_073_741_825))
    with pytest.raises(PipelineError, match=r"of 512 bytes takes at least 1,073,741,825 bytes .*nothing was unpacked"):
        unpack(tmp_path / "archive", tmp_path / "to", ignore)
    assert not (tmp_path / "to").exists()


def test_a_zip_that_declares_more_than_the_largest_ratio_is_refused_by_its_directory(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", {f"{number}": b"x" for number in range(20)})
    entry = (1).to_bytes(4, "little") * 2  # compressed and original size, in header and directory
    large = (1).to_bytes(4, "little") + (200_000_000).to_bytes(4, "little")
    archive.write_bytes(archive.read_bytes().replace(entry, large))
    with pytest.raises(PipelineError, match=r"takes at least 1,200,000,000 bytes unpacked, more than 1,073,741,824"):
        unpack(archive, tmp_path / "to", ignore)
    assert not (tmp_path / "to").exists()


def test_small_files_that_shrink_by_more_than_the_ratio_are_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(10_000_000))
    assert unpack(tmp_path / "archive", tmp_path / "to", ignore) == 1
    assert (tmp_path / "to" / "zeros").stat().st_size == 10_000_000


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME], ids=["pax", "long name"])
def test_a_header_that_would_fill_the_memory_is_refused_before_it_is_read(tmp_path: Path, kind: bytes) -> None:
    size = 17 << 20
    (tmp_path / "archive").write_bytes(gzip.compress(header("a", size, kind) + bytes(size), 1))
    with pytest.raises(PipelineError, match="a header of 17,825,792 bytes"):
        unpack(tmp_path / "archive", tmp_path / "to", ignore)


def test_a_negative_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(header("first", 0) + header("a", -1024) + bytes(1024))
    with pytest.raises(PipelineError, match="size of -1024"):
        unpack(tmp_path / "archive", tmp_path / "to", ignore)


def test_a_damaged_header_is_not_taken_for_the_end_of_the_archive(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "archive", FILES)
    content = bytearray(archive.read_bytes())
    content[content.index(b"VOCdevkit/VOC2007/JPEGImages")] ^= 1
    archive.write_bytes(content)
    with pytest.raises(PipelineError, match=r"damaged \(no header at byte 1,536\)"):
        unpack(archive, tmp_path / "to", ignore)
    assert not (tmp_path / "to").exists()


def test_an_encrypted_zip_is_refused_with_the_remedy(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", FILES)
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(PipelineError, match="is encrypted; unpack the archive with its password"):
        unpack(archive, tmp_path / "to", ignore)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("kept", [0.999, 0.9, 0.5, 0.05])
def test_a_compressed_tar_is_unpacked_and_refused_when_truncated(
    tmp_path: Path, compress: Callable[[bytes], bytes], kept: float
) -> None:
    archive = tarred(tmp_path / "archive", FILES)
    content = compress(archive.read_bytes())
    archive.write_bytes(content)
    assert unpack(archive, tmp_path / "to", ignore) == 2
    assert {name: (tmp_path / "to" / name).read_bytes() for name in FILES} == FILES
    archive.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(PipelineError, match="is damaged"):
        unpack(archive, tmp_path / "again", ignore)


def test_a_file_that_cannot_be_written_is_reported_with_the_remedy(packed: Packed, tmp_path: Path) -> None:
    (tmp_path / "to" / "VOCdevkit/VOC2007/Annotations/a.xml").mkdir(parents=True)
    with pytest.raises(PipelineError, match=r"a\.xml of .*archive cannot be written \(Is a directory\)"):
        unpack(packed(FILES), tmp_path / "to", ignore)


@pytest.mark.parametrize("seed", range(200))
def test_an_archive_with_changed_bytes_is_unpacked_or_refused(tmp_path: Path, seed: int) -> None:
    """Neither is anything else raised, nor is a file left outside the folder."""
    random = Random(seed)
    archive = random.choice([tarred, zipped])(tmp_path / "archive", FILES)
    content = bytearray(archive.read_bytes())
    for _ in range(random.choice([1, 3, 20])):
        content[random.randrange(len(content))] = random.randrange(256)
    compressions: list[Callable[[bytes], bytes]] = [bytes, bytes, gzip.compress, bz2.compress, lzma.compress]
    archive.write_bytes(random.choice(compressions)(bytes(content)))
    with suppress(PipelineError):
        unpack(archive, tmp_path / "to", ignore)
    assert {path.name for path in tmp_path.iterdir()} <= {"archive", "to"}
