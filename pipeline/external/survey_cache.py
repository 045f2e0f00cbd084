"""Answers about files outside the store, cached in the user's cache folder for as long as the files are unchanged.

    surveys/<hash of the question>      a line {"format", "code", "stamp", "sha256"}, then the answer as JSON

Plans ask the same questions about a data set again and again, and parsing takes most of their time. SSDPIPE_CACHE names
the folder (default ~/.cache/ssdpipe), or is `off`. Only plans use it: a stage reads the data itself. The folder can be
deleted at any time, and a file in it that cannot be read or written is ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from pipeline.external.stamp import Stamp
from pipeline.keys.code_digest import code_of
from pipeline.keys.fingerprint import class_name, digest

FORMAT = 1
PLACE = "SSDPIPE_CACHE"
MOST = 200
"""Largest number of cached answers; the oldest are deleted first."""

Json = Any


def cached(question: str, by: type, stamp: Stamp, ask: Callable[[], Json]) -> Json:
    """Return the answer of `ask`, or a cached one if neither the files nor the code in the closure of `by` changed.

    The stamp must be taken before the files are read; an answer is cached only when its stamp is settled.
    """
    folder = cache_folder()
    if folder is None:
        return ask()
    file = folder / "surveys" / _sha256(f"{class_name(by)} {question}")[:32]
    valid = {"format": FORMAT, "code": digest(code_of([by])), "stamp": stamp.digest}
    with suppress(OSError, ValueError):  # absent or damaged
        return _read(file, valid)
    answer = ask()
    if stamp.settled:
        with suppress(OSError):
            _write(file, valid, json.dumps(answer))
    return answer


def cache_folder() -> Path | None:
    """The cache folder; None when caching is off or the user has no home folder."""
    named = os.environ.get(PLACE, "")
    if named == "off":
        return None
    try:
        return Path(named or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/ssdpipe").expanduser()
    except RuntimeError:
        return None


def _read(file: Path, valid: dict[str, Json]) -> Json:
    """Read an answer; raises ValueError when it is not valid for this question."""
    head, _, answer = file.read_text(encoding="utf-8").partition("\n")
    if json.loads(head) != {**valid, "sha256": _sha256(answer)}:
        raise ValueError("stale")
    return json.loads(answer)


def _write(file: Path, valid: dict[str, Json], answer: str) -> None:
    """Write atomically, also against concurrent writers, and delete the oldest answers."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{uuid4().hex}.part")
    try:
        aside.write_text(json.dumps({**valid, "sha256": _sha256(answer)}) + "\n" + answer, encoding="utf-8")
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
    for old in sorted(file.parent.iterdir(), key=lambda each: each.stat().st_mtime_ns)[:-MOST]:
        old.unlink(missing_ok=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
