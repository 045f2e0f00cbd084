"""`ssdpipe store verify`: compare every file of every result with its checksum."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from experiments.cli.shared.options import StorePlace, expanded

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

    Lists the damaged results with their files; exit code 2 if there are any that were not discarded.
    """
    from pipeline.store.integrity import damaged
    from pipeline.store.store import Store

    store = Store.open(place.store)
    manifests = store.manifests()
    broken = 0
    for number, manifest in enumerate(manifests, start=1):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number:,} of {len(manifests):,} results" + "\n" * (number == len(manifests)))
        if files := damaged(store.output(manifest), manifest.files):
            broken += 1
            print(f"{manifest.address} ({manifest.key[:12]}): {', '.join(files)}")
            if discard:
                store.discard(manifest)
    files_checked = sum(len(manifest.files) for manifest in manifests)
    print(f"{len(manifests):,} results, {files_checked:,} files: {_verdict(broken, discard)}")
    if broken and not discard:
        raise typer.Exit(2)


def _verdict(broken: int, discard: bool) -> str:
    if not broken:
        return "all are whole"
    if discard:
        return f"{broken} damaged, discarded; the next run computes them again"
    return f"{broken} damaged; --discard discards them, and the next run computes them again"
