"""Read single values of annotations, results and detections: typed, finite, and absent when null or empty.

Values come from JSON (typed), or from CSV and XML (text); both have one meaning. Every error is a ValueError whose
message names the field and the value, without the place, which the reader adds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

FLAGS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
"""Accepted spellings of a flag, in any case."""

SHOWN = 40
"""Largest number of characters of a value in a message."""


def is_absent(value: Any) -> bool:
    """Whether a value counts as not given: null, or text of blanks only."""
    return value is None or (isinstance(value, str) and not value.strip())


def optional_number(value: Any, field: str) -> float | None:
    """Return a finite number, or None when it is absent; numerals in text are read."""
    if is_absent(value):
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        number = float(_numeral(value) if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        raise ValueError(f"{field} is {shown(value)}, not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{field} is {shown(value)}, not a finite number")
    return number


def number(value: Any, field: str) -> float:
    """Return a finite number; an absent one is an error."""
    found = optional_number(value, field)
    if found is None:
        raise ValueError(f"{field} is missing")
    return found


def numbers(texts: Sequence[str], fields: Sequence[str]) -> tuple[float, ...]:
    """Return the finite numbers of several fields, given as text; errors as in `number`, in a quarter of its time."""
    joined = "".join(texts)
    if joined.isascii() and "_" not in joined:
        try:
            found = tuple(map(float, texts))
        except ValueError:
            found = (math.nan,)
        if all(map(math.isfinite, found)):
            return found
    return tuple(number(text, field) for text, field in zip(texts, fields, strict=True))


def flag(value: Any, field: str) -> bool:
    """Return a flag given as 0, 1, false or true, in any spelling of `FLAGS`; false when it is absent."""
    if is_absent(value):
        return False
    text = str(value).strip().lower() if isinstance(value, bool | int | float | str) else ""
    if text not in FLAGS:
        raise ValueError(f"{field} is {shown(value)}: write 0 or 1, or false or true")
    return FLAGS[text]


def identifier(value: Any, field: str) -> str:
    """Return an id as text, such that equal ids have equal texts: 42, 42.0 and "42" are one id, as is " 42"."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if is_absent(value):
        raise ValueError(f"{field} is missing")
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{field} is {shown(value)}: write a whole number or text")
    return str(value).strip()


def name(value: Any, field: str) -> str:
    """Return a name without surrounding blanks; numbers count as text, absent and empty names are errors."""
    if is_absent(value):
        raise ValueError(f"{field} is missing or empty")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{field} is {shown(value)}, not a name")
    if not (text := str(value).strip()).isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError(f"{field} is {shown(value)}: half of a surrogate pair is no character")
    return text


def shown(value: Any) -> str:
    """Return a value as messages show it: its notation in Python, cut to `SHOWN` characters."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _numeral(text: str) -> str:
    """Return the text if it is a numeral as JSON and CSV write it; Python also reads 1_000 and digits of any script."""
    if "_" in text or not text.isascii():
        raise ValueError
    return text.strip()
