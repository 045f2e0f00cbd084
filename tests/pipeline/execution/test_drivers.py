"""Several drivers on one store: each stage runs once, and all of them get the same result."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pipeline.store.events import read_events
from pipeline.store.store import Store

ROOT = Path(__file__).parents[3]
DRIVERS = 5


@pytest.mark.parametrize("where", ["disk", "s3"])
def test_of_several_drivers_one_runs_each_stage(where, tmp_path, request):
    place = request.getfixturevalue("s3_place") if where == "s3" else str(tmp_path / "store")
    program = [sys.executable, "-m", "tests.pipeline.execution.one_driver", place]
    drivers = [
        subprocess.Popen(
            [*program, f"driver{number}", str(number % 2 * 2)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for number in range(DRIVERS)
    ]
    results = [json.loads(driver.communicate(timeout=120)[0]) for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0] * DRIVERS

    store = Store.open(place)
    addresses = {f"slow/{number}" for number in range(8)}
    digests = {address: {result[address][1] for result in results if address in result} for address in addresses}
    assert {address: len(found) for address, found in digests.items()} == dict.fromkeys(addresses, 1)
    events = [event for number in range(DRIVERS) for event in read_events(store.run(f"driver{number}"))]
    assert Counter(event.address for event in events if event.kind == "started") == dict.fromkeys(addresses, 1)
    assert {name.split("/")[0] for name in store.folder.files()} <= {"format.json", "keys", "objects", "runs", "leases"}
    assert [name for name in (store.folder / "leases").files() if name.endswith(".json")] == []
    assert len({name.split("/")[1] for name in (store.folder / "objects").files()}) == len(addresses)
