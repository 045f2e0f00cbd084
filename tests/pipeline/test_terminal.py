"""No name hides what is on a terminal or in a log, or forges a line of it."""

from __future__ import annotations

import io
import logging

from pipeline.display.screen import LiveDisplay, PlainDisplay
from pipeline.store.events import Event
from pipeline.terminal import LogFormatter, VisibleStream, visible, visible_lines

HOSTILE = "a\x1b[2J\x9b1m\nINFO all is well\r\u202eb\x07"
SHOWN = r"a\x1b[2J\x9b1m\nINFO all is well\r\u202eb\x07"


def test_control_characters_are_shown_and_other_text_is_unchanged() -> None:
    assert visible(HOSTILE) == SHOWN
    assert visible_lines("größe\t1\n\x1b") == "größe\t1\n\\x1b"
    assert visible("größe → 猫 🐈") == "größe → 猫 🐈"


def test_a_line_of_progress_may_replace_another_but_a_name_in_it_may_not() -> None:
    inner = io.StringIO()
    stream = VisibleStream(inner)
    for text in ("\r1 of 2", "2 of 2\r", "a\rb\n", "\r"):
        stream.write(text)
    assert inner.getvalue() == "\r1 of 2" + "2 of 2\r" + "a\\rb\n" + "\r"


def test_a_log_record_of_several_lines_looks_like_one_record() -> None:
    stream, logger = io.StringIO(), logging.Logger("stage")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LogFormatter("%(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.warning("the class %s", "cat\nINFO stage: done\x1b[1A")
    assert stream.getvalue() == "WARNING stage: the class cat\n    INFO stage: done\\x1b[1A\n"


def test_displays_show_an_event_on_one_line() -> None:
    failed = Event(time=0.0, kind="failed", address=HOSTILE, data={"class": "E", "message": HOSTILE[:6]})
    for display in (PlainDisplay, LiveDisplay):
        stream = io.StringIO()
        display(1, stream).on_event(failed)
        assert stream.getvalue() == f"[1/1] {SHOWN}  failed: {SHOWN[:12]}\n"
