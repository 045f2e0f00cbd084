"""Which driver works on a key: `leases/<key>.json` names its process; the file's modification time is the heartbeat.

Exact on a local disk; best effort where drivers on several machines share a store, and on object stores. Commits are
correct regardless: the worst case is work done twice.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict
from typing import Any

import msgspec
from filelock import FileLock

from pipeline.folder import Folder
from pipeline.store.process import Process, StoredProcess
from pipeline.store.reading import Unreadable, read_typed

BEAT_SECONDS = 20.0
STALE_SECONDS = 120.0
_LEASE = msgspec.json.Decoder(StoredProcess)


class Leases:
    """The leases of one driver; a thread renews them until `close`."""

    def __init__(self, folder: Folder, owner: Process | None = None) -> None:
        self._folder = folder
        self._owner = owner or Process.this()
        self._held: set[str] = set()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self, key: str) -> Process | None:
        """Take the lease of a key and return None, or return the live process that already holds it."""
        with self._guard():
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
        """The process that holds a valid lease: alive on this host, or on another host with a recent heartbeat."""
        try:
            process = Process.from_json(read_typed(self._folder, _name(key), _LEASE))
        except (FileNotFoundError, Unreadable):
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
        """Renew all held leases."""
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

    def _guard(self) -> AbstractContextManager[Any]:
        """Exclude other drivers between reading and writing: two must not both take over from a dead one."""
        return FileLock(f"{self._folder.path}/.guard") if self._folder.is_local else nullcontext()


def _name(key: str) -> str:
    return f"{key}.json"
