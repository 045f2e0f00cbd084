"""Which driver works on a key: `leases/<key>.json` holds its process, the file's time is its heartbeat.

Exact on a local disk. Where drivers on other machines share the store, or on object stores, it is best effort:
a commit stays correct whoever else works, only time is lost.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict
from typing import Any

from filelock import FileLock

from pipeline.folder import Folder
from pipeline.store.process import Process

BEAT_SECONDS = 20.0
STALE_SECONDS = 120.0


class Leases:
    """The leases of one driver; a thread keeps them fresh until `close`."""

    def __init__(self, folder: Folder, owner: Process | None = None) -> None:
        self._folder = folder
        self._owner = owner or Process.this()
        self._held: set[str] = set()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self, key: str) -> Process | None:
        """Take the lease of a key; the live process that holds it already when that fails."""
        with self._alone():
            holder = self.holder(key)
            if holder and holder != self._owner:
                return holder
            self._write(key)
        self._held.add(key)
        self._start()
        return None

    def release(self, key: str) -> None:
        if key in self._held:
            self._held.discard(key)
            self._folder.delete(_name(key))

    def holder(self, key: str) -> Process | None:
        """The process whose lease counts: alive on this host, or on another with a heartbeat not too old."""
        try:
            process = Process.from_json(self._folder.read_json(_name(key)))
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None
        alive = process.is_alive if process.is_here else self._age(key) < STALE_SECONDS
        return process if alive else None

    def close(self) -> None:
        self._closed.set()
        if self._thread:
            self._thread.join()
        for key in sorted(self._held):
            self.release(key)

    def beat(self) -> None:
        """Tell that the holder lives."""
        for key in sorted(self._held):
            if not self._folder.is_local:
                self._write(key)
                continue
            with suppress(FileNotFoundError):
                os.utime(f"{self._folder.path}/{_name(key)}")

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat_on, name="leases", daemon=True)
            self._thread.start()

    def _beat_on(self) -> None:
        while not self._closed.wait(BEAT_SECONDS):
            with suppress(OSError):
                self.beat()

    def _write(self, key: str) -> None:
        self._folder.replace(_name(key), json.dumps(asdict(self._owner)).encode())

    def _age(self, key: str) -> float:
        written: float = self._folder.filesystem.get_file_info(f"{self._folder.path}/{_name(key)}").mtime_ns / 1e9
        return time.time() - written

    def _alone(self) -> AbstractContextManager[Any]:
        """Read and write without another driver in between: two must not both inherit from a dead one."""
        return FileLock(f"{self._folder.path}/.guard") if self._folder.is_local else nullcontext()


def _name(key: str) -> str:
    return f"{key}.json"
