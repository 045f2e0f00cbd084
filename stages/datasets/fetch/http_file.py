"""Download one file over HTTP: resumed where it stopped, verified, and renamed only when it is complete.

torchvision's own download restarts from zero and shows no remaining time; for archives of gigabytes both matter.
"""

from __future__ import annotations

import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError

CHUNK = 1 << 18
TIMEOUT_SECONDS = 60
TRIES = 5
"""Attempts in a row without a new byte, after which the command fails; running it again continues."""

Progress = Callable[[int, int | None], None]
"""Called with the bytes on disk, and the size of the whole file if the server states it."""


class _NeverLessSafe(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but not from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise PipelineError(f"{req.full_url} redirects to {newurl}, which is not encrypted; nothing was downloaded")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Interruption(Exception):
    """The connection ended before the file did."""


def fetch(url: str, target: Path, *, md5: str | None, progress: Progress, pause: float = 2.0) -> None:
    """Download `url` to `target` through `<target>.part`, which survives a killed download and is then continued.

    Raises PipelineError when the server refuses, the disk is too small, the connection keeps breaking, or the MD5 is
    not `md5` (the file is then deleted, since it is unknown which part is wrong).
    """
    part = target.with_name(f"{target.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    failures, before = 0, -1
    while True:
        try:
            _receive(url, part, progress)
            break
        except (Interruption, OSError, http.client.HTTPException) as error:
            size = _size(part)
            failures, before = (failures + 1 if size == before else 1), size
            if failures == TRIES:
                kept = f"{size:,} bytes are in {part}" if size else "Nothing was received"
                raise PipelineError(f"{url}: {error}. {kept}; run the command again to continue from there") from error
            time.sleep(pause * failures)
    _verify(url, part, md5)
    part.replace(target)


def _receive(url: str, part: Path, progress: Progress) -> None:
    """Append the missing bytes to `part`. Raises Interruption or OSError when the end is not reached."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.build_opener(_NeverLessSafe).open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            _settle(part, have, error.headers.get("Content-Range", ""))
            return
        if error.code < 500:
            raise PipelineError(f"{url}: the server responded {error.code} {error.reason}") from error
        raise
    with answer:
        _append(answer, part, have if answer.status == http.HTTPStatus.PARTIAL_CONTENT else 0, progress)


def _append(answer: http.client.HTTPResponse, part: Path, have: int, progress: Progress) -> None:
    """Write the body after the first `have` bytes; 0 when the server ignores ranges and sends the whole file."""
    length = answer.headers.get("Content-Length")
    total = have + int(length) if length else None
    _require_space(part.parent, (total or 0) - have, answer.url)
    with part.open("ab" if have else "wb") as stream:
        while chunk := answer.read(CHUNK):
            have += stream.write(chunk)
            progress(have, total)
    if total is not None and have < total:  # read() of Python 3.11 ends silently when the connection does
        raise Interruption(f"the connection broke after {have:,} of {total:,} bytes")


def _settle(part: Path, have: int, content_range: str) -> None:
    """The server has no bytes after the last one: `part` is complete, or it does not belong to this file."""
    if re.fullmatch(rf"bytes \*/{have}", content_range):
        return
    part.unlink()
    raise Interruption(f"{part.name} has {have:,} bytes, but the file on the server has another size; starting again")


def _verify(url: str, part: Path, md5: str | None) -> None:
    if md5 is None:
        return
    from torchvision.datasets.utils import calculate_md5

    found = calculate_md5(str(part))
    if found != md5:
        size = _size(part)
        part.unlink()
        raise PipelineError(
            f"{url}: the {size:,} bytes received have the MD5 {found}, but the published one is {md5}. "
            "They were deleted; run the command again to start over"
        )


def _require_space(folder: Path, needed: int, url: str) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise PipelineError(f"{url} needs {needed / 1e9:.1f} GB more, but {folder} has {free / 1e9:.1f} GB free")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
