"""A training on S3, killed and continued by two drivers at once, is the one on a disk, bit by bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.store.events import read_events
from pipeline.store.record import read_curve, read_progress
from pipeline.store.store import Store

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project
    from tests.s3_server import S3Server

pytestmark = pytest.mark.slow

STEPS = 60
SETTINGS = ("-s", f"schedule.iterations={STEPS}", "-s", "batch_size=2", "-s", "keep_every=20")
TRAIN = ("train", "ssd-tiny", *SETTINGS, "--gpus", "0", "--no-mlflow")


def start(project: Project, store: str, folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", "from experiments.cli.main import main; main()", *TRAIN, "--data", str(project.data)],
        env=os.environ | {"SSDPIPE_STORE": store, "SSDPIPE_CACHE": str(folder.parent / "cache")},
        cwd=folder,
        stdout=(folder / "printed").open("ab"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def kill_in_the_middle(driver: subprocess.Popen[bytes], store: Store) -> None:
    """Kill a driver once its training has saved a checkpoint."""
    deadline = time.monotonic() + 240
    while not any(name.endswith(".pt") for name in (store.folder / "work").files()):
        assert driver.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.5)
    driver.kill()
    driver.wait()


def test_a_training_on_s3_killed_and_continued_by_two_drivers_equals_the_one_on_a_disk(
    project: Project, s3: S3Server, s3_place: str, tmp_path: Path
) -> None:
    local, remote = Store.open(str(project.store)), Store.open(s3_place)
    assert start(project, local.folder.uri, tmp_path / "local").wait(300) == 0
    kill_in_the_middle(start(project, s3_place, tmp_path / "killed"), remote)
    before = len(s3.requests)
    both = [start(project, s3_place, tmp_path / name) for name in ("first", "second")]
    assert [driver.wait(400) for driver in both] == [0, 0], (tmp_path / "first/printed").read_text()
    print(len(s3.requests) - before, "requests")

    assert {each.address: each.digest for each in remote.manifests()} == {
        each.address: each.digest for each in local.manifests()
    }
    runs = [remote.run(name) for name in sorted({name.partition("/")[0] for name in (remote.folder / "runs").files()})]
    started = [event.address for run in runs[1:] for event in read_events(run) if event.kind == "started"]
    assert len(started) == len(set(started))
    training = next(each for each in remote.manifests() if each.address.startswith("train/"))
    assert read_curve(remote.output(training))[-1].step == STEPS
    assert remote.keys_with_work() == set()
    assert read_progress(remote.work(training.key)) is None
    assert (remote.folder / "leases").files() == []
    assert json.dumps(sorted(path.name for path in (tmp_path / "first").iterdir())) == '["printed"]'
