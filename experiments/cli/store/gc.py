"""`ssdpipe gc`: delete what no result, no running driver and no later run needs."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.shared.options import JsonOption, StorePlace
from pipeline.terminal import visible

if TYPE_CHECKING:
    from pipeline.store.garbage import Leftover


def gc(
    place: StorePlace,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted, and delete nothing.")] = False,
    run_days: Annotated[
        float, typer.Option("--run-days", min=0, help="Age from which records of runs are deleted, but the newest.")
    ] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Delete what killed runs left behind.

    These are attempts without a result, work that no run would resume, old records and half-written files. Results are
    never deleted, nor anything that a running driver holds.
    """
    from experiments.cli.shared.printing import note_links
    from experiments.cli.store.wanted import wanted_keys
    from pipeline.store.garbage import collect, leftovers
    from pipeline.store.store import Store

    store = Store.open(place.store)
    note_links(store.folder)
    freed = Counter[str]()
    number = Counter[str]()
    listed: list[dict[str, Any]] = []
    for found in leftovers(store, is_wanted=wanted_keys(store), run_days=run_days):
        count = found.size if dry_run else collect(store, found)
        freed[found.what] += count
        number[found.what] += 1
        if as_json:
            listed.append({"path": found.path, "what": found.what, "bytes": count})
        elif dry_run:
            print(_line(found))
    if as_json:
        print(json.dumps({"deleted": not dry_run, "bytes": freed.total(), "leftovers": listed}, indent=1))
    else:
        _print(number, freed, dry_run)


def _line(found: Leftover) -> str:
    return f"{visible(found.path)}  {found.size:,} bytes, {found.what}"


def _print(number: Counter[str], freed: Counter[str], dry_run: bool) -> None:
    from experiments.cli.shared.printing import columns

    if number:
        print(columns([("leftover", "number", "bytes"), *((w, f"{n:,}", f"{freed[w]:,}") for w, n in number.items())]))
    total = f"{freed.total():,} bytes"
    print(f"{total} would be freed; nothing was deleted" if dry_run else f"{total} freed")
