"""Seeded mutation of files: bytes, numbers, words and lines of any file, and the values inside JSON, zip and tar."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import torch
from torch import Tensor

LARGEST = 1 << 20
"""Largest input in bytes."""

EXTREMES = (
    b"0", b"-0", b"-1", b"1e309", b"-1e309", b"1e-320", b"NaN", b"nan", b"inf", b"-inf", b"Infinity", b"0.5", b"1e18",
    b"2147483647", b"2147483648", b"4294967296",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809",
    b"18446744073709551616", b"9" * 400, b"9" * 5000, b"0x10", b"1_000", b"1,5",
    b"", b"1e", b"+1", b"\xd9\xa3", b"1e400000",
)  # fmt: skip
"""What a number becomes."""

WORDS = (
    b"null", b"true", b"false", b"{}", b"[]", b'""', b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800",
    b"\\u0000", b"../", b"..", b"/", b"//", b"\\", b"./", b"C:\\x", b"~", b"/etc/passwd", b"\r\n", b"\r", b"\n\n",
    b"\t",
    b" ", b",", b";", b":", b'"', b"'", b"<", b">", b"&", b"&#0;", b"&lol;", b"<![CDATA[", b"<!--", b"]]>", b"{", b"}",
    b"[", b"]", b"%s", b"%n", b"{0}", b"*a", b"&a [*a]", b"!!python/object:os.system", b"<<: ", b"? ", b"- ", b"|",
    "é".encode(), "İ".encode(), "\u2028".encode(), "\U0001f600".encode(), b"a" * 300, b"\x1b[2J", b"\x85", b"\x0c",
)  # fmt: skip
"""What is put anywhere."""

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**400, float("nan"),
    float("inf"), "", " ", "0", "1", "-1", "1e309", "nan", "x", "\0", "\ud800", "../x", "/x", "a/b", "é", "a" * 5000,
    [], {}, [[]], [{}], {"a": {}}, [None], {"": None}, [0, 0, 0, 0], [0, 0, 1e308, 1e308], [1, 2, 3],
    ["1", "2", "3", "4"],
)  # fmt: skip
"""What a value inside JSON becomes."""

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(rb"[A-Za-z_]{2,}")
_NESTED = ((b"[", b"]"), (b'{"a":', b"}"), (b"<a>", b"</a>"), (b"(", b")"), (b"- ", b""))


def mutated(content: bytes, odd: Random, others: Sequence[bytes] = ()) -> bytes:
    """Change a file one to a few times; `others` are files of its kind, parts of which it may get."""
    for _ in range(odd.choice((1, 1, 1, 2, 4))):
        content = _once(content, odd, others)
    return content[:LARGEST]


def _once(content: bytes, odd: Random, others: Sequence[bytes]) -> bytes:
    inside = _structure(content)
    if inside and odd.random() < 0.6:
        try:
            return inside(content, odd)
        except Exception:  # earlier changes have broken the structure
            pass
    return odd.choice(_CHANGES)(content, odd) if odd.random() < 0.95 else _spliced(content, odd, others)


def _structure(content: bytes) -> Callable[[bytes, Random], bytes] | None:
    """How to change the values inside a file whose structure is recognised."""
    if content[:2] == b"PK":
        return in_zip
    if content[:2] == b"\x1f\x8b":
        return in_gzip
    if content[257:262] == b"ustar":
        return in_tar
    return in_json if content.lstrip()[:1] in (b"{", b"[") else None


def _flipped(content: bytes, odd: Random) -> bytes:
    changed = bytearray(content or b"\0")
    for _ in range(odd.choice((1, 1, 4, 16))):
        changed[odd.randrange(len(changed))] ^= 1 << odd.randrange(8)
    return bytes(changed)


def _byte(content: bytes, odd: Random) -> bytes:
    changed = bytearray(content or b"\0")
    changed[odd.randrange(len(changed))] = odd.choice((0, 1, 0x7F, 0x80, 0xFF, odd.randrange(256)))
    return bytes(changed)


def _span(content: bytes, odd: Random) -> tuple[int, int]:
    start = odd.randrange(len(content) + 1)
    return start, min(len(content), start + odd.choice((1, 2, 4, 8, 16, 64, len(content))))


def _cut(content: bytes, odd: Random) -> bytes:
    start, end = _span(content, odd)
    return content[:start] + content[end:]


def _shortened(content: bytes, odd: Random) -> bytes:
    return content[: odd.randrange(len(content) + 1)]


def _repeated(content: bytes, odd: Random) -> bytes:
    start, end = _span(content, odd)
    times = odd.choice((1, 1, 2, 100))
    return content[:end] + content[start:end][: LARGEST // times] * times + content[end:]


def _spliced(content: bytes, odd: Random, others: Sequence[bytes]) -> bytes:
    other = odd.choice(others) if others else content
    return content[: odd.randrange(len(content) + 1)] + other[odd.randrange(len(other) + 1) :]


def _inserted(content: bytes, odd: Random) -> bytes:
    place = odd.randrange(len(content) + 1)
    return content[:place] + odd.choice(WORDS) + content[place:]


def _nested(content: bytes, odd: Random) -> bytes:
    place, depth = odd.randrange(len(content) + 1), odd.choice((10, 100, 1000, 20_000))
    begin, end = odd.choice(_NESTED)
    return content[:place] + begin * depth + odd.choice((b"", b"1", end * depth)) + content[place:]


def _number(content: bytes, odd: Random) -> bytes:
    return _replaced(content, odd, _NUMBER, lambda _: odd.choice(EXTREMES))


def _word(content: bytes, odd: Random) -> bytes:
    words = [*_WORD.findall(content), *WORDS]
    return _replaced(content, odd, _WORD, lambda _: odd.choice(words))


def _cased(content: bytes, odd: Random) -> bytes:
    return _replaced(content, odd, _WORD, odd.choice((bytes.upper, bytes.title, bytes.lower)))


def _replaced(content: bytes, odd: Random, pattern: re.Pattern[bytes], change: Callable[[bytes], bytes]) -> bytes:
    places = [match.span() for match in pattern.finditer(content)]
    if not places:
        return _inserted(content, odd)
    start, end = odd.choice(places)
    return content[:start] + change(content[start:end]) + content[end:]


def _lines(content: bytes, odd: Random) -> bytes:
    lines = content.split(b"\n")
    place = odd.randrange(len(lines))
    match odd.randrange(4):
        case 0:
            del lines[place]
        case 1:
            lines.insert(odd.randrange(len(lines) + 1), lines[place])
        case 2:
            odd.shuffle(lines)
        case _:
            lines[place] = odd.choice(WORDS)
    return b"\n".join(lines)


def _recoded(content: bytes, odd: Random) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(odd.choice(("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-16-be", "cp1252")), "replace")


_CHANGES = (
    _flipped, _byte, _cut, _shortened, _repeated, _inserted, _nested, _number, _number, _number, _word, _cased, _lines,
    _recoded,
)  # fmt: skip


def in_json(content: bytes, odd: Random) -> bytes:
    """Change a value, a name or the order somewhere inside JSON."""
    text = content.decode("utf-8-sig")
    lines = text.splitlines()
    if len(lines) > 1 and text.startswith("{") and text.rstrip().endswith("}") and lines[0].rstrip().endswith("}"):
        place = odd.randrange(len(lines))  # a log of JSON lines
        lines[place] = json.dumps(_in_value(json.loads(lines[place]), odd))
        return ("\n".join(lines) + "\n").encode(errors="surrogatepass")
    return json.dumps(_in_value(json.loads(text), odd)).encode(errors="surrogatepass")


def _in_value(value: Any, odd: Random) -> Any:
    if not isinstance(value, dict | list) or not value or odd.random() < 0.1:
        return odd.choice(ODD)
    if isinstance(value, list):
        place = odd.randrange(len(value))
        return [*value[:place], *_instead(value[place], odd), *value[place + 1 :]]
    name = odd.choice(list(value))
    match odd.randrange(8):
        case 0:
            return {each: held for each, held in value.items() if each != name}
        case 1:
            return {
                (odd.choice(("", "x", name.upper(), "\0")) if each == name else each): value[each] for each in value
            }
        case 2:
            return value | {odd.choice(("x", "", "$type", "__class__", "id")): odd.choice(ODD)}
        case _:
            return value | {name: _in_value(value[name], odd)}


def _instead(item: Any, odd: Random) -> list[Any]:
    """What takes the place of an item of a list."""
    return odd.choice(([], [item, item], [_in_value(item, odd)], [_in_value(item, odd)], [odd.choice(ODD)]))


def in_zip(content: bytes, odd: Random) -> bytes:
    """Change the content or the name of a member, with right checksums."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    if odd.random() < 0.5 and any(info.filename.endswith("/data.pkl") for info, _ in members):
        return in_pickle(content, odd)
    place = odd.randrange(len(members))
    info, held = members[place]
    match odd.randrange(6):
        case 0:
            info = zipfile.ZipInfo(odd_name(info.filename, odd))
        case 1:
            del members[place]
        case 2:
            members.append(members[place])
        case _:
            held = mutated(held, odd)
    if place < len(members):
        members[place] = info, held
    sink = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(sink, "w") as archive:  # names that occur twice
        for info, held in members:
            archive.writestr(
                zipfile.ZipInfo(info.filename), held, odd.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
            )
    return sink.getvalue()


def in_pickle(content: bytes, odd: Random) -> bytes:
    """Change a value in what `torch.save` wrote: a field, or a tensor's name, shape, type or numbers."""
    sink = io.BytesIO()
    torch.save(_in_tensors(torch.load(io.BytesIO(content), weights_only=True), odd), sink)
    return sink.getvalue()


def _in_tensors(value: Any, odd: Random) -> Any:
    if isinstance(value, Tensor):
        other = (
            value.double(),
            value.half(),
            value.int(),
            value[None],
            value.flatten(),
            value * float("nan"),
            value[:0],
        )
        return odd.choice(
            (*other, value.to(torch.complex64), value.to_sparse(), value.expand(9, *value.shape), 1, None)
        )
    if not isinstance(value, dict | list) or not value or odd.random() < 0.05:
        return odd.choice(ODD)
    if isinstance(value, list):
        place = odd.randrange(len(value))
        return [*value[:place], *odd.choice(([], [_in_tensors(value[place], odd)])), *value[place + 1 :]]
    name = odd.choice(list(value))
    match odd.randrange(6):
        case 0:
            return {each: held for each, held in value.items() if each != name}
        case 1:
            return {(odd.choice(("x", 0, None)) if each == name else each): held for each, held in value.items()}
        case _:
            return value | {name: _in_tensors(value[name], odd)}


def in_gzip(content: bytes, odd: Random) -> bytes:
    """Change what is compressed."""
    return gzip.compress(mutated(gzip.decompress(content), odd), 1)


def in_tar(content: bytes, odd: Random) -> bytes:
    """Change a header: a field, with a right checksum, or the kind of a member."""
    changed = bytearray(content)
    headers = [place for place in range(0, len(content) - 511, 512) if content[place + 257 : place + 262] == b"ustar"]
    place = odd.choice(headers)
    start, length = odd.choice(((0, 100), (100, 8), (124, 12), (156, 1), (157, 100), (257, 6), (345, 155)))
    value = odd.choice((*WORDS, *EXTREMES, b"7777777777\0", b"\x80" + b"\xff" * 11, b"1", b"2", b"5", b"L", b"x", b"S"))
    if start == 0:
        value = odd_name("a/b", odd).encode(errors="surrogateescape")
    changed[place + start : place + start + length] = value[:length].ljust(length, b"\0")
    changed[place + 148 : place + 156] = b" " * 8
    changed[place + 148 : place + 156] = b"%06o\0 " % sum(changed[place : place + 512])
    return bytes(changed)


def odd_name(name: str, odd: Random) -> str:
    """A name of a member that leads elsewhere or cannot be a file."""
    return odd.choice((
        f"../{name}", f"/{name}", f"../../../tmp/{name}", "..", ".", "", "a/../../b", name.upper(), name + "/",
        "x" * 300, f"{name}/below", "a\\..\\b", "é", "a\nb", name + ".part", "C:/x", "//x", "./" + name, "nul\0x",
        "x/" * 600 + "y", "x/" * 1500 + "y",
    ))  # fmt: skip


def rewritten_tar(content: bytes, odd: Random) -> bytes:
    """The same members in either format of tar; compressed ones stay unchanged."""
    if content[257:262] != b"ustar":
        return content
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = [(info, archive.extractfile(info) if info.isfile() else None) for info in archive.getmembers()]
        sink = io.BytesIO()
        with tarfile.open(fileobj=sink, mode="w", format=odd.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT))) as out:
            for info, stream in members:
                out.addfile(info, stream)
    return sink.getvalue()
