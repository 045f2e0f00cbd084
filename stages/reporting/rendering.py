"""Pages from the templates beside this file: every text is escaped, and images lie inside the page.

Tested in tests/stages/reporting/test_page.py.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

KINDS = {"png": "image/png", "svg": "image/svg+xml"}


def render(template: str, **values: Any) -> str:
    """The page of a template."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    made = Environment(loader=PackageLoader("stages.reporting"), autoescape=True, undefined=StrictUndefined)
    made.filters |= {"minus": with_minus, "data_uri": data_uri, "groupby_in_order": _groups}
    made.tests["of_the_web"] = is_of_the_web
    return made


def with_minus(text: str) -> str:
    """A minus sign before numbers instead of a hyphen."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def data_uri(content: bytes, suffix: str) -> str:
    """The image itself, as what an `<img>` shows."""
    return f"data:{KINDS[suffix]};base64,{b64encode(content).decode()}"


def is_of_the_web(url: str) -> bool:
    """Whether a link may lead there; a label without one stays text."""
    return url.startswith(("http://", "https://"))


def _groups(items: Any, attribute: str) -> list[tuple[Any, list[Any]]]:
    """Neighbours with one value of the attribute, in the order given; jinja's own groupby sorts."""
    return [(value, list(group)) for value, group in groupby(items, lambda item: getattr(item, attribute))]
