"""Names of metrics and parameters as MLflow accepts them.

MLflow takes at most 250 letters, digits and signs of a short list, and reads a name as a path, which must be normal.
Names of classes come from data sets and may be anything.

Tested in tests/pipeline/mlflow_tracking/test_names.py.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

LONGEST = 250
MARKS = (8, 16, 32, 64)
"""Hexadecimal digits that distinguish a name: the shortest that is free."""


def legal_names(names: Iterable[str], known: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """{name: name in MLflow} without two that become equal, whatever the order of `names`; those of `known` stay.

    A legal name is unchanged, and other characters become `_`. A digest follows where this makes two names equal, where
    they differ only in what some databases ignore, or where a name is cut.
    """
    new = sorted(set(names) - known.keys())
    mapping = dict(known)
    taken = {_compared(name) for name in known.values()}
    for name in new:
        if _path(name) == name and len(name) <= LONGEST and _compared(name) not in taken:
            mapping[name] = name
            taken.add(_compared(name))
    changed = [name for name in new if name not in mapping]
    alike = Counter(_compared(_path(name)) for name in changed)
    for name in changed:
        path = _path(name)
        is_free = alike[_compared(path)] == 1 and _compared(path) not in taken and len(path) <= LONGEST
        mapping[name] = path if is_free else _marked(name, taken)
        taken.add(_compared(mapping[name]))
    return mapping


def _compared(name: str) -> str:
    """A name as the databases compare it that ignore case, accents and blanks at the end: MySQL and SQL Server."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).rstrip()


def _marked(name: str, taken: set[str]) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    marked = (f"{_path(name)[: LONGEST - 1 - digits]}-{digest[:digits]}" for digits in MARKS)
    return next(candidate for candidate in marked if _compared(candidate) not in taken)


def _path(name: str) -> str:
    """The name with `_` for each rejected character, in `mAP@0.5` as in `voc07/AP/..`."""
    path = "/".join(_segment(part) for part in re.sub(r"[^\w\-./: ]", "_", name).split("/"))
    return re.sub(r"^\.\.", "__", path)


def _segment(part: str) -> str:
    """A part of a path that stands for itself: not empty, and neither the folder nor the one above."""
    return "_" * max(1, len(part)) if part in ("", ".", "..") else part
