"""Numbers of a bundle beside those computed again, bit for bit, each named by its file and its place in it.

Tested in tests/experiments/framework/bundles/test_comparing.py.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.folder import Folder
from pipeline.keys.fingerprint import encode, leaves
from stages.bundles.archived import RESULT
from stages.evaluation.outcomes import OUTCOMES, read_outcomes

ABSENT = "absent"


@dataclass
class Compared:
    """How many values are equal, and the differences."""

    equal: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, what: str, archived: Folder, computed: Folder) -> None:
        """Compare all files of an archived folder with those computed again."""
        for name in archived.files():
            if name != RESULT:
                self._file(f"{what}, {name}", name, archived, computed)

    def add_values(self, what: str, archived: Any, computed: Any) -> None:
        """Compare two values of JSON, number by number."""
        then, now = dict(leaves(archived)), dict(leaves(computed))
        for place in sorted(then.keys() | now.keys()):
            before, after = (encode(values[place]) if place in values else ABSENT for values in (then, now))
            if before == after:
                self.equal += 1
            else:
                self.differences.append(f"{what}: {place} is {before} in the bundle and {after} computed again")

    def _file(self, what: str, name: str, archived: Folder, computed: Folder) -> None:
        if not computed.is_file(name):
            self.differences.append(f"{what}: this version does not compute it")
            return
        before, after = archived.read_bytes(name), computed.read_bytes(name)
        if name.endswith(".json"):
            try:
                self.add_values(what, json.loads(before), json.loads(after))
            except (ValueError, RecursionError) as error:
                self.differences.append(f"{what}: the bundle's cannot be read: {error}")
        elif before != after:
            self.differences += [f"{what}: {each}" for each in _differing(name, before, after)]


def _differing(name: str, before: bytes, after: bytes) -> Iterator[str]:
    """How two files of one name differ; packed outcomes are compared as numbers, since packing differs by version."""
    if name != OUTCOMES:
        yield _first_line(before, after)
        return
    try:
        (then, images), (now, now_images) = read_outcomes(before), read_outcomes(after)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        yield f"the bundle's cannot be read: {error}"
        return
    if (len(then), images) != (len(now), now_images):
        yield f"{len(then)} classes on {images} images in the bundle, {len(now)} on {now_images} computed again"
        return
    for label, (one, other) in enumerate(zip(then, now, strict=True)):
        for part, values in vars(one).items():
            if not np.array_equal(values, getattr(other, part)):
                yield f"{part} of class {label} differ"


def _first_line(before: bytes, after: bytes) -> str:
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    number = next((number for number, (one, other) in enumerate(lines, start=1) if one != other), 0)
    return f"line {number} differs" if number else "the number of lines differs"
