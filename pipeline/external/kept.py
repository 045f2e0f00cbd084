"""Answers about files outside the store, kept in the user's cache folder for as long as the files stay as they are.

    surveys/<hash of the question>      a line {"format", "code", "stamp", "sha256"}, and the answer as JSON

Plans ask the same of a data set again and again, and most of the time goes into parsing. SSDPIPE_CACHE names the folder
(default ~/.cache/ssdpipe), or is `off`. Only plans ask here: a stage reads the data itself. Nothing is lost with the
folder, and a file in it that cannot be read or written is as none.
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
"""Answers that are kept; the oldest goes first."""

Json = Any


def kept(question: str, by: type, stamp: Stamp, ask: Callable[[], Json]) -> Json:
    """The answer of `ask`, or an earlier one when neither the files have changed nor the code that `by` leads to.

    The stamp must have been taken before the files are read; an answer is kept only when it is settled.
    """
    folder = cache_folder()
    if folder is None:
        return ask()
    file = folder / "surveys" / _sha256(f"{class_name(by)} {question}")[:32]
    valid = {"format": FORMAT, "code": digest(code_of([by])), "stamp": stamp.digest}
    with suppress(OSError, ValueError):  # not there, or damaged
        return _read(file, valid)
    answer = ask()
    if stamp.settled:
        with suppress(OSError):
            _write(file, valid, json.dumps(answer))
    return answer


def cache_folder() -> Path | None:
    """None when nothing is to be kept, or the user has no home."""
    named = os.environ.get(PLACE, "")
    if named == "off":
        return None
    try:
        return Path(named or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/ssdpipe").expanduser()
    except RuntimeError:
        return None


def _read(file: Path, valid: dict[str, Json]) -> Json:
    """ValueError when it is not the answer that is asked for."""
    head, _, answer = file.read_text().partition("\n")
    if json.loads(head) != {**valid, "sha256": _sha256(answer)}:
        raise ValueError("stale")
    return json.loads(answer)


def _write(file: Path, valid: dict[str, Json], answer: str) -> None:
    """Whole or not at all, whoever else writes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{uuid4().hex}.part")
    try:
        aside.write_text(json.dumps({**valid, "sha256": _sha256(answer)}) + "\n" + answer)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
    for old in sorted(file.parent.iterdir(), key=lambda each: each.stat().st_mtime_ns)[:-MOST]:
        old.unlink(missing_ok=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
