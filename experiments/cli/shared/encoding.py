"""Makes commands independent of the locale: any name can be read, and any text printed.

Tested in tests/experiments/cli/test_surroundings.py.
"""

from __future__ import annotations

import io
import os
import sys

from pipeline.errors import PipelineError


def use_utf8() -> None:
    """Start this command again in Python's UTF-8 mode if its locale has another encoding; prepare its output.

    Ray's workers inherit both. What the terminal's encoding lacks is printed as `\\\\xe9` or `\\\\u2192`.
    """
    if "utf" not in (sys.stdout.encoding or "").lower():
        os.environ["PYTHONIOENCODING"] = f"{sys.stdout.encoding or 'ascii'}:backslashreplace"
    if sys.getfilesystemencoding() != "utf-8":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def name_not_utf8(error: UnicodeEncodeError) -> PipelineError | None:
    """The user's error behind an encoding error: a file name whose bytes are not UTF-8; None for any other cause."""
    if not all("\udc80" <= character <= "\udcff" for character in error.object[error.start : error.end]):
        return None
    name = error.object.encode(errors="surrogateescape")
    return PipelineError(f"{name!r} is not UTF-8 text: rename the file or folder.")
