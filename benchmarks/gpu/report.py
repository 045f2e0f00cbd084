"""The result of a part as a short table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DETAILS = ("measure", "details", "rounds")


def lines(part: str, content: dict[str, Any]) -> Iterator[str]:
    """Yield the table of a part: one line a measurement, numbers to three digits."""
    machine = content.get("conditions", {})
    yield f"\n{part}: {machine.get('gpu', machine.get('device', ''))}, {content.get('seconds', 0)} s"
    for group, entries in content.items():
        if isinstance(entries, dict) and group != "conditions":
            yield f"  {group}"
            yield from (f"    {name:48} {shortened(value)}" for name, value in entries.items())
    if "all_passed" in content:
        yield f"  all checks passed: {content['all_passed']}"
    if "error" in content:
        yield f"  ERROR {content['error'].strip().splitlines()[-1]}"


def shortened(value: Any) -> str:
    """Return a measurement in a few words; spreads, tolerances and other details are in the JSON."""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    if isinstance(value, dict) and "images_per_second" in value:
        ratios = [f"{each:.2f} {name}" for name, each in value.items() if name.startswith(("of ", "share "))]
        return f"{value['images_per_second']:.0f}/s" + "".join(f" ({ratio})" for ratio in ratios)
    if isinstance(value, dict):
        return ", ".join(f"{name} {shortened(each)}" for name, each in value.items() if name not in DETAILS)
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return f"{len(value)} entries, the last: {shortened(value[-1])}"[:400]
    return str(value)
