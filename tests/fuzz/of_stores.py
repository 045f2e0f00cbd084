"""Files of a store, read back by `show`, `why`, `report`, `gc` and the planning of a run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from experiments.cli.requests import TrainRequest, request_from
from experiments.cli.shared.options import StorePlace
from experiments.cli.show import show
from pipeline.keys.fingerprint import Ingredients
from pipeline.store.events import EVENTS, Event, EventLog, fold, read_events
from pipeline.store.lease import Leases
from pipeline.store.lookup import find_result, lineage, recorded_requests, started_keys
from pipeline.store.process import Process
from pipeline.store.provenance import run_provenance
from pipeline.store.record import (
    CURVE,
    PROGRESS,
    SUMMARY,
    append_point,
    read_curve,
    read_progress,
    read_summary,
    write_progress,
)
from pipeline.store.store import Manifest, Store
from tests.fuzz.judgement import quiet
from tests.fuzz.target import Case

KEY, ABOVE, RUN = "0123456789abcdef" * 2, "f" * 32, "20260101-000000-000"


def manifests(odd: Random, place: Path) -> Sequence[Case]:
    """The manifest of a result with an input and a summary."""
    store = _store(place)
    return [_case(place / f"keys/{KEY}.json", lambda: _shown(store))]


def events(odd: Random, place: Path) -> Sequence[Case]:
    """The log of a run: what it recorded, its state, and the request that a later command repeats."""
    store = _store(place)
    log = EventLog(store.run(RUN))
    request = TrainRequest(recipe="ssd300-voc07", settings=["schedule.base_lr=0.001"]).to_json()
    data: list[tuple[str, dict[str, Any]]] = [
        ("run_started", {"argv": ["ssdpipe"], "request": request, "process": vars(Process.this()), **run_provenance()}),
        ("planned", {}), ("waiting", {"holder": "other"}), ("started", {"attempt": 1}),
        ("progress", {"done": 1.0, "total": 2.0, "note": "step"}), ("retried", {"reason": "lost", "delay": 1.0}),
        ("failed", {"class": "ValueError", "message": "x", "traceback": "y"}), ("committed", {"seconds": 2.0}),
        ("run_finished", {"status": "finished"}),
    ]  # fmt: skip
    for kind, held in data:
        log.on_event(Event(time=time.time(), kind=kind, address="train/seed0", key=KEY, data=held))
    return [_case(place / f"runs/{RUN}/{EVENTS}", lambda: _run(store))]


def records(odd: Random, place: Path) -> Sequence[Case]:
    """Curve, progress, summary, lease and format."""
    store = _store(place)
    work, leases = store.work(KEY), Leases(store.folder / "leases")
    for step in range(3):
        append_point(work, step, {"loss": odd.random()})
    write_progress(work, 1, 2, "step")
    store.folder.write_json(f"leases/{KEY}.json", vars(Process.this()))
    return [
        _case(place / f"work/{KEY}/{CURVE}", lambda: read_curve(work)),
        _case(place / f"work/{KEY}/{PROGRESS}", lambda: read_progress(work)),
        _case(place / f"leases/{KEY}.json", lambda: leases.holder(KEY)),
        _case(place / "format.json", lambda: Store.open(str(place)).folder.uri),
    ]


def summaries(odd: Random, place: Path) -> Sequence[Case]:
    """The numbers of a result."""
    store = _store(place)
    output = store.attempt(KEY, "a1")
    return [_case(place / f"objects/{KEY}/a1/{SUMMARY}", lambda: (_shown(store), read_summary(output))[1])]


def _store(place: Path) -> Store:
    store = Store.open(str(place))
    store.prepare()
    for key, address, inputs in ((ABOVE, "shard/set", {}), (KEY, "train/seed0", {"data": ABOVE})):
        store.attempt(key, "a1").write_json(SUMMARY, {"voc07/mAP": 0.5, "images": 12})
        ingredients = Ingredients(stage="stages.training.train.Train", config={"seed": 0}, inputs=inputs)
        store.commit(
            Manifest(
                key=key, address=address, variant="", tags={"recipe": "ssd300"}, ingredients=ingredients,
                settings={"recipe": {"seed": 0, "sizes": [1, 2]}},
                inputs={name: {"address": "shard/set", "key": held, "digest": "d"} for name, held in inputs.items()},
                provenance=run_provenance(), attempt="a1", seconds=2.0,
            )
        )  # fmt: skip
    return store


def _shown(store: Store) -> Any:
    manifest = find_result(store, "train/seed0")
    with quiet() as printed:
        show("train/seed0", place=StorePlace(store=store.folder.uri))
        print(list(lineage(store, manifest)), store.look(KEY)[0] is not None, store.look(KEY)[1])
    return printed.getvalue()


def _run(store: Store) -> Any:
    found = read_events(store.run(RUN))
    state = fold(found)
    recorded = [(request_from(request), addresses) for request, addresses in recorded_requests(store)]
    return found, state, state.is_dead, started_keys(store), recorded


def _case(file: Path, read: Callable[[], Any]) -> Case:
    sound = file.read_bytes()
    return Case(content=sound, read=partial(_with_content, file, sound, read))


def _with_content(file: Path, sound: bytes, read: Callable[[], Any], content: bytes) -> Any:
    file.write_bytes(content)
    try:
        return read()
    finally:
        file.write_bytes(sound)


def rewritten(content: bytes, odd: Random) -> bytes:
    """Other blanks and another order of fields, line by line in a log."""
    if len(content.splitlines()) > 1 and content.splitlines()[0].endswith(b"}"):
        return b"\n".join(_rewritten(line, odd) for line in content.splitlines()) + b"\n"
    return _rewritten(content, odd)


def _rewritten(content: bytes, odd: Random) -> bytes:
    value = json.loads(content)
    return json.dumps({name: value[name] for name in odd.sample(list(value), len(value))}).encode()
