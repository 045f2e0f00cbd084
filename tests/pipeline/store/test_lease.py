"""Only one driver works on a key."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.folder import Folder
from pipeline.store import lease
from pipeline.store.lease import Leases
from pipeline.store.process import Process


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(str(tmp_path))


@pytest.fixture
def other():
    """Another live process on this host."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield child, Process.of(child.pid)
    child.kill()
    child.communicate()


def test_the_second_driver_learns_who_holds_a_key(folder, other):
    _, process = other
    first, second = Leases(folder, process), Leases(folder)
    assert first.acquire("k") is None
    assert second.acquire("k") == process
    first.release("k")
    assert second.acquire("k") is None
    first.close()
    second.close()


def test_a_key_may_be_taken_again_by_its_holder(folder):
    leases = Leases(folder)
    assert leases.acquire("k") is None
    assert leases.acquire("k") is None
    leases.close()
    assert not folder.exists("k.json")


def test_the_lease_of_a_dead_process_is_free(folder, other):
    child, process = other
    first = Leases(folder, process)
    first.acquire("k")
    child.kill()
    child.wait()
    second = Leases(folder)
    assert second.acquire("k") is None
    first._held.clear()
    first.close()
    second.close()


def test_a_zombie_process_is_dead(other):
    child, process = other
    assert process.is_alive
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, but left a zombie
    assert not process.is_alive


def test_a_reused_process_number_is_another_process(folder):
    earlier = replace(Process.this(), started=1.0)
    first, second = Leases(folder, earlier), Leases(folder)
    first.acquire("k")
    assert second.acquire("k") is None
    first._held.clear()
    first.close()
    second.close()


@pytest.mark.parametrize(
    "written",
    [
        f'{{"host": "{socket.gethostname()}", "pid": {os.getppid()}, "started": "8172"}}',  # by an earlier version
        '{"host": "here"}',
        "[]",
        "",
    ],
)
def test_a_lease_that_does_not_say_when_its_process_began_is_free(folder, written):
    folder.write_bytes("k.json", written.encode())
    leases = Leases(folder)
    assert leases.acquire("k") is None
    leases.close()


def test_a_corrected_clock_does_not_change_the_identity_of_a_process(other):
    _, process = other
    assert replace(process, started=process.started - 1).is_alive


def test_a_holder_on_another_host_counts_while_its_heart_beats(folder):
    far = Process("far-away", 1, 1.0)
    first, second = Leases(folder, far), Leases(folder)
    first.acquire("k")
    path = Path(folder.path, "k.json")
    os.utime(path, (path.stat().st_mtime - lease.STALE_SECONDS + 30,) * 2)
    assert second.acquire("k") == far
    os.utime(path, (path.stat().st_mtime - 60,) * 2)
    first.beat()
    assert second.acquire("k") == far
    os.utime(path, (path.stat().st_mtime - lease.STALE_SECONDS - 30,) * 2)
    assert second.acquire("k") is None
    first._held.clear()
    first.close()
    second.close()


def test_a_thread_keeps_held_leases_fresh(folder, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.02)
    leases = Leases(folder)
    leases.acquire("k")
    path = Path(folder.path, "k.json")
    os.utime(path, (0, 0))
    deadline = time.monotonic() + 10
    while path.stat().st_mtime == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert path.stat().st_mtime > 0
    leases.close()


def test_of_many_processes_that_want_a_free_key_one_gets_it(folder):
    asked = (
        "import sys; from pipeline.folder import Folder; from pipeline.store.lease import Leases; input();"
        f"print(Leases(Folder({folder.uri!r})).acquire('k') is None, flush=True); input()"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", asked], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    answers = [child.stdout.readline().strip() for child in children]
    for child in children:
        child.communicate("\n", timeout=30)
    assert sorted(answers) == ["False"] * 5 + ["True"]


def test_on_s3_of_drivers_that_take_over_from_a_dead_one_one_gets_it(s3_place, other):
    child, process = other
    folder = Folder(s3_place)
    dead = Leases(folder, process)
    dead.acquire("k")
    child.kill()
    child.wait()
    dead._held.clear()
    dead.close()
    near, far = Leases(folder), Leases(folder, Process("far-away", 1, 1.0))
    assert near.acquire("k") is None
    assert far.acquire("k") == Process.this()
    near.release("k")
    assert far.acquire("k") is None
    assert near.acquire("k") == Process("far-away", 1, 1.0)
    near.close()
    far.close()
    assert folder.files() == []


def test_on_s3_a_beat_renews_a_lease_and_neither_writes_a_released_nor_a_foreign_one(s3_place):
    folder = Folder(s3_place)
    leases = Leases(folder)
    leases.acquire("mine")
    leases.acquire("released")
    leases.acquire("taken")
    leases.acquire("deleted")
    before = folder.objects.read("mine.json")
    leases.release("released")
    folder.delete_file("deleted.json")
    foreign = b'{"host": "far-away", "pid": 1, "started": 1.0}'
    folder.write_bytes("taken.json", foreign)
    leases.beat()
    assert folder.objects.read("mine.json").version != before.version
    assert folder.files() == ["mine.json", "taken.json"]
    leases.close()
    assert folder.files() == ["taken.json"]
    assert folder.read_bytes("taken.json") == foreign
