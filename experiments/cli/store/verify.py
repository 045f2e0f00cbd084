"""`ssdpipe store verify`: compare every file of every result with its checksum."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.shared.options import StorePlace, expanded
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
    unreadable = _unreadable(store, discard)
    broken = behind = 0
    for number, manifest in enumerate(manifests, start=1):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number:,} of {len(manifests):,} results" + "\n" * (number == len(manifests)))
        named = visible(f"{manifest.address} ({manifest.key[:12]})")
        if link := _link(store, manifest):
            behind += 1
            print(f"{named}: not verified, {visible(link)} is a link")
        elif files := damaged(store.output(manifest), manifest.files):
            broken += 1
            print(f"{named}: {visible(', '.join(files))}")
            if discard:
                store.discard(manifest)
    if not manifests and not unreadable:
        print(f"the store {store.folder.shown} holds no result")
        return
    files_checked = sum(len(manifest.files) for manifest in manifests)
    print(f"{len(manifests):,} results, {files_checked:,} files: {_verdict(broken + unreadable, behind, discard)}")
    if behind or ((broken or unreadable) and not discard):
        raise typer.Exit(2)


def _unreadable(store: Store, discard: bool) -> int:
    """Number of manifests that cannot be read, which are listed."""
    defects = store.broken_manifests()
    for key, defect in defects.items():
        print(visible(f"keys/{key}.json cannot be read: {defect}"))
        if discard:
            store.discard_broken(key)
    return len(defects)


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
