"""The table of a campaign for docs/reliability.md, from the kills that each round recorded in `kills.jsonl`.

Tested in tests/tools/chaos/test_summary.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.chaos.trial import Death

HEAD = "| round | what died | while | seconds until it was noticed | what was computed again |\n|---|---|---|---|---|"


def record(place: Path, number: int, death: Death) -> None:
    """Append one kill of a round."""
    kill = death.kill
    facts = {"round": number, "kind": kill.kind, "moment": kill.moment, "seconds": death.seconds, "lost": death.lost}
    with _file(place).open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(facts)}\n")


def forget(place: Path, number: int) -> None:
    """Delete what was recorded of a round: it begins again."""
    kept = [facts for facts in kills(place) if facts["round"] != number]
    _file(place).write_text("".join(f"{json.dumps(facts)}\n" for facts in kept), encoding="utf-8")


def kills(place: Path) -> list[dict[str, Any]]:
    """All recorded kills in the order of rounds."""
    lines = _file(place).read_text(encoding="utf-8").splitlines() if _file(place).exists() else []
    return sorted((json.loads(line) for line in lines), key=lambda facts: facts["round"])


def table(rows: Iterable[dict[str, Any]]) -> str:
    """The kills in Markdown."""
    shown = (
        f"| {row['round']} | {row['kind']} | {row['moment']} | {row['seconds']:.1f} | {row['lost']} |" for row in rows
    )
    return "\n".join([HEAD, *shown])


def _file(place: Path) -> Path:
    return place / "kills.jsonl"
