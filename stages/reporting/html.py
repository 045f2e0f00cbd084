"""Pieces of HTML as text. Everything that is not markup of ours goes through `text`.

Tested in tests/stages/reporting/test_page.py.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

KINDS = {"png": "image/png", "svg": "image/svg+xml"}


def text(plain: str) -> str:
    """Escaped, with a minus sign before numbers instead of a hyphen."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", escape(plain))


def element(tag: str, content: str, kind: str = "") -> str:
    return f'<{tag} class="{kind}">{content}</{tag}>' if kind else f"<{tag}>{content}</{tag}>"


def section(title: str, *parts: str) -> str:
    """Nothing when there is nothing to show."""
    told = [part for part in parts if part]
    return "<section>\n" + "\n".join([element("h2", text(title)), *told]) + "\n</section>" if told else ""


def paragraph(plain: str, kind: str = "") -> str:
    return element("p", text(plain), kind) if plain else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "", above: str = "") -> str:
    """A table whose header and cells are HTML: `<th>` and `<td>` elements; wide ones scroll by themselves."""
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    head = f"<thead>{above}<tr>{''.join(header)}</tr></thead>"
    return f'<div class="scroll"><table class="{kind}">{head}\n<tbody>\n{body}\n</tbody></table></div>'


def plain_table(header: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table of plain texts."""
    return table(
        [element("th", text(name)) for name in header],
        [[element("td", text(entry)) for entry in row] for row in rows],
        kind,
    )


def folded(title: str, content: str, *, is_open: bool) -> str:
    """What is long and seldom read: it opens at a click, and stays away from paper."""
    return f"<details{' open' if is_open else ''}><summary>{text(title)}</summary>\n{content}\n</details>"


def image(content: bytes, suffix: str, caption: str) -> str:
    """The image itself, inside the page."""
    source = f"data:{KINDS[suffix]};base64,{b64encode(content).decode()}"
    picture = f'<img alt="{text(caption)}" src="{source}">'
    return element("figure", picture + element("figcaption", text(caption)))


def link(url: str, label: str) -> str:
    """Only to a page of the web; anything else stays text."""
    if not url.startswith(("http://", "https://")):
        return text(label)
    return f'<a href="{escape(url)}">{text(label)}</a>'
