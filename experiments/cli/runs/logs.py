"""`ssdpipe logs`: what a stage printed, also while it runs on another host.

Tested in tests/experiments/cli/runs/test_status.py.
"""

from __future__ import annotations

import codecs
import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.shared.options import JsonOption, StageArgument, StorePlace

if TYPE_CHECKING:
    from pipeline.store.runs import StoredRun
    from pipeline.store.store import Store

FOLLOW_SECONDS = 1.0
REMOTE_FOLLOW_SECONDS = 5.0
"""Pause between two looks at a growing log, on a disk and on an object store."""


def logs(
    stage: StageArgument = "",
    *,
    place: StorePlace,
    run: Annotated[str, typer.Option(help="Id of a run; by default the newest that started the stage.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print what follows until the stage ends.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the log of a stage.

    What its processes wrote, on whatever host. On S3 a log is written when the stage's process ends.
    """
    from pipeline.errors import PipelineError
    from pipeline.store.runs import StoredRun
    from pipeline.store.store import Store, log_name

    if follow and as_json:
        raise PipelineError("--follow prints a log while it grows, --json a whole one: choose one")
    store = Store.open(place.store)
    found, address = _find(store, stage, run)
    reader = _Reader(found, log_name(address))
    if as_json:
        node = found.state.nodes[address]
        document = {"run": found.id, "stage": address, "key": node.key, "state": node.state, "log": reader.news()}
        print(json.dumps(document, indent=1))
        return
    while True:
        current = StoredRun(store, found.id)  # before the log is read: what it says last is printed, too
        node = current.state.nodes[address]
        ended = not current.is_lively or node.state not in ("running", "retrying", "waiting", "planned")
        sys.stdout.write(reader.news())
        sys.stdout.flush()
        if ended or not follow:
            break
        time.sleep(FOLLOW_SECONDS if store.folder.is_local else REMOTE_FOLLOW_SECONDS)
    if not reader.offset:
        sys.stderr.write(f"{address} has printed nothing yet in run {found.id}\n")


class _Reader:
    """Reads a growing log from where it stopped."""

    def __init__(self, run: StoredRun, name: str) -> None:
        self._logs, self._name = run.folder / "logs", name
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.offset = 0

    def news(self) -> str:
        """What was added since the last call."""
        try:
            with self._logs.open_input(self._name) as stream:
                stream.seek(min(self.offset, stream.size()))
                news = stream.read()
        except FileNotFoundError:
            return ""
        self.offset += len(news)
        return self._decoder.decode(news)


def _find(store: Store, stage: str, run: str) -> tuple[StoredRun, str]:
    """The run, and the address of its stage, by address or the start of a key. Raises PipelineError for none."""
    from pipeline.errors import PipelineError
    from pipeline.store.runs import find_run, stored_runs
    from pipeline.suggestion import suggestion, with_seed

    known: set[str] = set()
    for each in [find_run(store, run)] if run else stored_runs(store):
        started = {event.address: event.key for event in each.events if event.kind == "started"}
        named = with_seed(stage, started)
        for address, key in started.items():
            if stage and (address == named or key.startswith(stage)):
                return each, address
        known |= started.keys()
    where = f"run {run}" if run else f"any run of the store {store.folder.shown}"
    what = f"no stage {stage!r} was started in {where}" if stage else f"no stage is named, and in {where}"
    raise PipelineError(f"{what}{';' if stage else ''} {suggestion(stage, known)}")
