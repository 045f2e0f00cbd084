"""The token of a Ray cluster: where it is, and that nobody else can read it.

Tested in tests/pipeline/ray_backend/test_token_file.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.terminal import warn

OTHERS = 0o077
"""Permissions of anybody but the owner."""


def token_mode() -> bool:
    """Whether Ray sends a token when it joins a cluster."""
    return os.environ.get("RAY_AUTH_MODE", "").lower() == "token"


def token() -> str:
    """The token that Ray would send; empty when there is none. Warns of a file that others can read."""
    if given := os.environ.get("RAY_AUTH_TOKEN"):
        return given.strip()
    file = token_file()
    try:
        found = file.read_text(encoding="utf-8").strip()
        mode = file.stat().st_mode
    except (OSError, ValueError):
        return ""
    if mode & OTHERS:
        warn(f"others can read the token in {file}: chmod 600 {file}")
    return found


def token_file() -> Path:
    """The file that holds the token, unless RAY_AUTH_TOKEN is set; it need not exist."""
    return Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or default_file()).expanduser()


def default_file() -> Path:
    """The file in which Ray keeps the token that it generates."""
    return Path.home() / ".ray" / "auth_token"


@contextmanager
def private_token_file() -> Iterator[None]:
    """Withdraw the permissions of others from a token that Ray generates meanwhile: it gives them to everybody."""
    file = default_file()
    is_new = not file.exists()
    with suppress(OSError):  # Ray reports a home folder that cannot be written
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield
    finally:
        if is_new:
            with suppress(OSError):
                file.chmod(0o600)
