"""Data sets in every layout, one file of which is changed; read by `ssdpipe data check` and by the survey of a plan."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import typer

from experiments.cli.data.check import check
from stages.datasets.find import find_data_set
from tests.fuzz.judgement import quiet
from tests.fuzz.target import Case
from tests.stages.datasets.random_sets import CLASSES, SIZE, WRITERS, Picture, Thing, encoded, put, put_image, read_back

SETS = 12
"""Number of random data sets of each layout."""

_STEMS = ("a", "b", "000007", "img (1)", "with.dot", "2007_000032", "photo-é")


def cases(odd: Random, place: Path, *, layout: str, pattern: str) -> Sequence[Case]:
    """A case for each file that fits the pattern, in random sets of a layout."""
    found = []
    for number in range(SETS):
        root = place / f"{layout}{number}"
        WRITERS[layout](root, pictures(odd), odd)
        found += [_case(root, layout, file) for file in sorted(root.glob(pattern))]
    return found


def with_names(odd: Random, place: Path) -> Sequence[Case]:
    """Sets in YOLO layout with a file of names instead of a YAML."""
    found = []
    for number in range(SETS):
        root, drawn = place / f"named{number}", pictures(odd)
        put(root / "classes.txt", "\n".join(CLASSES) + "\n")
        for picture in drawn:
            put_image(root / f"images/train/{picture.stem}.jpg")
            put(root / f"labels/train/{picture.stem}.txt", f"{odd.randrange(len(CLASSES))} 0.5 0.5 0.25 0.5\n")
        found.append(_case(root, "yolo", root / "classes.txt"))
    return found


def with_images(odd: Random, place: Path) -> Sequence[Case]:
    """Sets in VOC layout whose images have every format, under the name of a JPEG."""
    found = []
    for number, suffix in enumerate((".jpg", ".png", ".bmp", ".webp", ".tiff") * 2):
        root = place / f"image{number}"
        WRITERS["voc"](root, pictures(odd)[:1], odd)
        (file,) = root.glob("JPEGImages/*")
        put(file, encoded(suffix))
        found.append(_case(root, "voc", file))
    return found


def pictures(odd: Random) -> list[Picture]:
    """One to three images with up to four objects; the first has one at least."""
    stems = odd.sample(_STEMS, odd.randint(1, 3))
    return [Picture(stem, _things(odd, odd.randint(int(place == 0), 4))) for place, stem in enumerate(stems)]


def _things(odd: Random, number: int) -> tuple[Thing, ...]:
    drawn = {}
    for _ in range(number):
        xmin, ymin = odd.randint(0, SIZE[0] - 2), odd.randint(0, SIZE[1] - 2)
        box = xmin, ymin, odd.randint(xmin + 1, SIZE[0]), odd.randint(ymin + 1, SIZE[1])
        drawn[box] = Thing(odd.choice(CLASSES), box, odd.random() < 0.3)
    return tuple(drawn.values())


def _case(root: Path, layout: str, file: Path) -> Case:
    sound = file.read_bytes()
    return Case(
        content=sound,
        read=partial(_with_content, file, sound, lambda: _checked(root)),
        answer=partial(_with_content, file, sound, lambda: read_back(root, layout)[0]),
    )


def _with_content(file: Path, sound: bytes, read: Callable[[], Any], content: bytes) -> Any:
    file.write_bytes(content)
    try:
        return read()
    finally:
        file.write_bytes(sound)


def _checked(root: Path) -> None:
    """Survey every split as a plan does, and check the set; nothing listed passes uncounted."""
    data_set = find_data_set(str(root))
    for split in data_set.splits:
        data_set.source(split).survey()
    refused = None
    with quiet() as printed:
        try:
            check(str(root), as_json=True)
        except typer.Exit as exit_:
            refused = exit_
    counts = json.loads(printed.getvalue())
    left_out = counts["boxes_left_out"] + counts["boxes_of_left_out_images"]
    assert counts["images_listed"] == counts["images_written"] + counts["images_left_out"], counts
    assert counts["boxes_annotated"] == counts["boxes_written"] + left_out, counts
    if refused:
        raise refused


def spaced_xml(content: bytes, odd: Random) -> bytes:
    """Blanks between elements; nothing else, since the encoding may have several bytes a character."""
    try:
        content.decode("ascii")
    except UnicodeDecodeError:
        return content
    return re.sub(rb">\s*<(?![/!])", lambda match: odd.choice((b">\n<", b"> <", b"><")), content)


def ended_lines(content: bytes, odd: Random) -> bytes:
    """Other ends of lines, and blank lines at the end."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content
    text = content.replace(b"\r\n", b"\n").rstrip(b"\n") + odd.choice((b"", b"\n", b"\n\n"))
    return text.replace(b"\n", odd.choice((b"\n", b"\r\n")))


def rewritten_json(content: bytes, odd: Random) -> bytes:
    """Other blanks and another order of fields; lists keep their order."""
    return json.dumps(
        _shuffled(json.loads(content), odd), indent=odd.choice((None, 1)), ensure_ascii=odd.random() < 0.5
    ).encode()


def _shuffled(value: Any, odd: Random) -> Any:
    if isinstance(value, list):
        return [_shuffled(item, odd) for item in value]
    if isinstance(value, dict):
        return {name: _shuffled(value[name], odd) for name in odd.sample(list(value), len(value))}
    return value
