"""Hides secrets in text that is recorded or printed: whatever leaves a process passes through here.

    s3://key:secret@bucket/a, ?access_key=..., ?sig=...    left out, so that the rest is a place that still opens
    password=..., --token ..., Bearer ..., AKIA..., hf_... replaced by ***

Where a text is ambiguous, as `s3://a:b/c@d/e@f`, too much is hidden rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

HIDDEN = "***"

_NAME = (  # each word is read once, also where it is not followed by what the pattern needs: linear time
    r"(?=[\w.-]*?(?:passw(?:or)?d|passphrase|secret|token|credential|access[_-]?key|api[_-]?key|account[_-]?key))[\w.-]++"
)
_TO_LAST_AT = re.compile(r"""(?<![^\s"<>])[^\s"<>]*@""")
"""A run of characters in which a login may stand, to its last @: within it, no search for an @ is in vain."""

_LOGIN = re.compile(
    r"""(?P<scheme>(?<![a-z0-9+.-])[0-9+.-]*[a-z][a-z0-9+.-]*+:)  # each run of characters is read once: linear time
    (?:
        (?P<slashes>/{1,2})(?P<name>[^\s/:@?\#"<>]*):(?!\d+(?:[/?\#]|\s|$))[^\s"<>]*@  # a password may hold / and @
      | (?P<both>//)(?P<alone>[^\s/?\#"<>]*)@
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_CONTAINERS = ("abfs:", "abfss:", "hdfs:", "viewfs:")
"""Schemes in which a name before `@` belongs to the place."""

_QUERY = re.compile(r"\?([^\s\"'<>?#]*=[^\s\"'<>?#]*)")
_PARAMETER = re.compile(rf"{_NAME}|.*signature|sig|key|pwd|pass|auth|user|username", re.IGNORECASE)
_ASSIGNED = re.compile(rf"(?<![\w.-])({_NAME}(?:=|[\"']\s*[:=]\s*)[\"']?)[^\s&;,\"'<>]+", re.IGNORECASE)
_OPTION = re.compile(rf"--?{_NAME}", re.IGNORECASE)
_OPTION_IN_TEXT = re.compile(rf"(?<!\S)(--{_NAME}\s+)(?!-)\S+", re.IGNORECASE)
_HEADER = re.compile(r"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:\w+ )?|\bbearer )[^\s\"',]{8,}", re.IGNORECASE)
_KNOWN = re.compile(
    r"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}|hf_\w{20,}|glpat-[\w-]{20,}"
    r"|xox[abpr]-[\w-]{10,})"
)
_JSON_WEB_TOKEN = re.compile(r"(?<![\w-])((?:(?!\beyJ)[\w-])*+)eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]+")


def redacted(text: str) -> str:
    """The text without passwords, keys and tokens; idempotent, and unchanged where there are none."""
    text = _TO_LAST_AT.sub(lambda run: _LOGIN.sub(_without_login, run[0]), text)
    text = _QUERY.sub(_without_secrets, text)
    for pattern in (_ASSIGNED, _OPTION_IN_TEXT, _HEADER, _JSON_WEB_TOKEN):
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return _KNOWN.sub(HIDDEN, text)


def redacted_arguments(arguments: Sequence[str]) -> list[str]:
    """Arguments of a command; that of an option such as `--token` is hidden whole."""
    before = ["", *arguments]
    pairs = zip(before, arguments, strict=False)
    return [HIDDEN if _OPTION.fullmatch(option) else redacted(argument) for option, argument in pairs]


def redacted_json(value: Any) -> Any:
    """A JSON value with all its texts redacted; lists of texts are arguments."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {name: redacted_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        texts = all(isinstance(item, str) for item in value)
        return redacted_arguments(value) if texts else [redacted_json(item) for item in value]
    return value


def _without_login(match: re.Match[str]) -> str:
    scheme, slashes = match["scheme"], match["slashes"] or match["both"]
    name = match["name"] or match["alone"] or ""
    kept = name == "anonymous" or scheme.lower() in _CONTAINERS
    return f"{scheme}{slashes}{name}@" if kept else f"{scheme}{slashes}"


def _without_secrets(match: re.Match[str]) -> str:
    query = match[1].rstrip("),.;:")  # punctuation of the sentence around it
    parameters = query.split("&")
    kept = [item for item in parameters if not _PARAMETER.fullmatch(item.partition("=")[0])]
    return (f"?{'&'.join(kept)}" if kept else "") + match[1][len(query) :]
