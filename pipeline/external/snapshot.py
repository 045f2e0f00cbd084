"""One command sees each data set in one state, that in which it was first asked for, and looks no second time.

Without `one_look` everything is looked at anew, each time that it is asked for.

Tested in tests/pipeline/external/test_stamp.py.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_SEEN: ContextVar[dict[Hashable, Any] | None] = ContextVar("seen", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Within it the answers of `seen` are remembered."""
    token = _SEEN.set({})
    try:
        yield
    finally:
        _SEEN.reset(token)


def seen(what: Hashable, look: Callable[[], T]) -> T:
    """What `look` found when `what` was first asked for; an error is not remembered."""
    answers = _SEEN.get()
    if answers is None:
        return look()
    if what not in answers:
        answers[what] = look()
    answer: T = answers[what]
    return answer
