"""`ssdpipe store verify`: compare every file of every result with its checksum."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.cli.shared.options import JsonOption, StorePlace, expanded
from pipeline.terminal import visible

if TYPE_CHECKING:
    from pipeline.store.store import Manifest, Store

app = typer.Typer(help="Verify the results in a store.")


@app.callback()
def _group() -> None:
    """Keep `verify` a subcommand although it is the only one."""


@app.command()
@expanded
def verify(
    place: StorePlace,
    discard: Annotated[
        bool, typer.Option("--discard", help="Discard damaged results, so that the next run computes them again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare every file of every result with its checksum.

    Lists damaged results with their files, manifests that cannot be read, and results behind links, which are not
    followed; exit code 2 if there are any that were not discarded.
    """
    from experiments.cli.shared.printing import note_links
    from pipeline.store.integrity import damaged
    from pipeline.store.store import Store

    store = Store.open(place.store)
    manifests = store.manifests()
    note_links(store.folder)
    report = Report(discard, silent=as_json)
    for key, defect in store.broken_manifests().items():
        report.add("unreadable", f"keys/{key}.json cannot be read: {defect}", {"key": key, "defect": defect})
        if discard:
            store.discard_broken(key)
    for number, manifest in enumerate(manifests, start=1):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number:,} of {len(manifests):,} results" + "\n" * (number == len(manifests)))
        result = {"address": manifest.address, "key": manifest.key}
        named = f"{manifest.address} ({manifest.key[:12]})"
        if link := _link(store, manifest):
            report.add("behind_links", f"{named}: not verified, {link} is a link", {**result, "link": link})
        elif files := damaged(store.output(manifest), manifest.files):
            report.add("damaged", f"{named}: {', '.join(files)}", {**result, "files": list(files)})
            if discard:
                store.discard(manifest)
    report.finish(store.folder.shown, len(manifests), sum(len(manifest.files) for manifest in manifests))
    if not report.is_clean:
        raise typer.Exit(2)


class Report:
    """What is not whole: each result is printed when it is found, or all at the end as JSON."""

    def __init__(self, discard: bool, *, silent: bool) -> None:
        self._discard, self._silent = discard, silent
        self._found: dict[str, list[dict[str, Any]]] = {"damaged": [], "unreadable": [], "behind_links": []}

    def add(self, kind: str, line: str, entry: dict[str, Any]) -> None:
        self._found[kind].append(entry)
        if not self._silent:
            print(visible(line))

    @property
    def is_clean(self) -> bool:
        """Whether every result is whole, or was discarded."""
        broken = self._found["damaged"] or self._found["unreadable"]
        return not self._found["behind_links"] and (self._discard or not broken)

    def finish(self, store: str, results: int, files: int) -> None:
        broken, behind = len(self._found["damaged"] + self._found["unreadable"]), len(self._found["behind_links"])
        if self._silent:
            counts = {"store": store, "results": results, "files": files}
            print(json.dumps({**counts, **self._found, "discarded": self._discard}, indent=1))
        elif not results and not broken:
            print(f"the store {store} holds no result")
        else:
            print(f"{results:,} results, {files:,} files: {_verdict(broken, behind, self._discard)}")


def _link(store: Store, manifest: Manifest) -> str:
    """The link through which a file of the result would be read; empty when there is none."""
    from pipeline.store.unfollowed import link_on

    places = (f"objects/{manifest.key}/{manifest.attempt}/{file.path}" for file in manifest.files)
    return next((link for place in places if (link := link_on(store.folder, place))), "")


def _verdict(broken: int, behind: int, discard: bool) -> str:
    """One clause for each kind of result that is not whole."""
    remedy = "discarded" if discard else "--discard discards them"
    parts = [f"{behind} behind links, not verified"] if behind else []
    parts += [f"{broken} damaged, {remedy}, and the next run computes them again"] if broken else []
    return "; ".join(parts) or "all are whole"
