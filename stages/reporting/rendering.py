"""Render pages from the templates beside this file: every text is escaped, and images are embedded.

Tested in tests/stages/reporting/test_page.py.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

KINDS = {"jpg": "image/jpeg", "png": "image/png", "svg": "image/svg+xml"}


def render(template: str, **values: Any) -> str:
    """Render a template with these values."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("stages.reporting"), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"minus": with_minus, "data_uri": data_uri, "groupby_in_order": _groups}
    environment.tests["web_link"] = is_web_link
    return environment


def with_minus(text: str) -> str:
    """The text with a minus sign instead of a hyphen before numbers."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def data_uri(content: bytes, suffix: str) -> str:
    """The image as a data URI for an `<img>`."""
    return f"data:{KINDS[suffix]};base64,{b64encode(content).decode()}"


def is_web_link(url: str) -> bool:
    """Whether the page may link to this address; otherwise the label stays plain text."""
    return url.startswith(("http://", "https://"))


def _groups(items: Any, attribute: str) -> list[tuple[Any, list[Any]]]:
    """Groups of neighbours with equal values of the attribute, in the given order; jinja's own groupby sorts."""
    return [(value, list(group)) for value, group in groupby(items, lambda item: getattr(item, attribute))]
