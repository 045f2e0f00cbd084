"""A command sees each data set in a single state, the one in which it was first read, and reads it only once.

Outside `snapshot`, data are read each time.

Tested in tests/pipeline/external/test_stamp.py.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_ANSWERS: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def snapshot() -> Iterator[None]:
    """Remember the answers of `remembered` while the block runs."""
    token = _ANSWERS.set({})
    try:
        yield
    finally:
        _ANSWERS.reset(token)


def remembered(what: Hashable, look: Callable[[], T]) -> T:
    """The value that `look` returned when `what` was first requested in the snapshot; errors are not remembered."""
    answers = _ANSWERS.get()
    if answers is None:
        return look()
    if what not in answers:
        answers[what] = look()
    answer: T = answers[what]
    return answer
