"""Which driver works on a key: `leases/<key>.json` names its process; the time of its last change is the heartbeat.

Exact on a local disk by a lock, and on S3 by conditional writes: a lease is created where there is none, and taken over
or renewed only in the version that was read. Best effort where drivers on several machines share a folder, and on other
object stores. Commits are correct regardless: the worst case is work done twice.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec
from filelock import FileLock

from pipeline.folder import Folder
from pipeline.object_store import Content
from pipeline.store.process import Process, StoredProcess
from pipeline.store.reading import Unreadable, decoded, read_typed

BEAT_SECONDS = 20.0
STALE_SECONDS = 120.0
_LEASE = msgspec.json.Decoder(StoredProcess)


@dataclass(frozen=True, kw_only=True)
class _Held:
    """A lease of this driver."""

    version: str = ""
    """On S3; empty elsewhere."""

    renewed: float = 0.0
    """By the monotonic clock."""


class Leases:
    """The leases of one driver; a thread renews them until `close`."""

    def __init__(self, folder: Folder, owner: Process | None = None) -> None:
        self._folder = folder
        self._objects = folder.objects
        self._owner = owner or Process.this()
        self._held: dict[str, _Held] = {}
        self._changing = threading.Lock()
        """Held while a lease is written or given up: the thread must not write one again that was released."""

        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self, key: str) -> Process | None:
        """Take the lease of a key and return None, or return the live process that already holds it."""
        with self._changing:
            holder = self._take_object(key) if self._objects else self._take_file(key)
        if holder is None:
            self._start()
        return holder

    def release(self, key: str) -> None:
        with self._changing:
            if held := self._held.pop(key, None):
                self._delete(key, held)

    def holder(self, key: str) -> Process | None:
        """The process that holds a valid lease: alive on this host, or on another host with a recent heartbeat."""
        try:
            if self._objects:
                return _live(self._objects.read(_name(key)))
            process = Process.from_json(read_typed(self._folder, _name(key), _LEASE))
            return process if _is_valid(process, lambda: self._written(key)) else None
        except (FileNotFoundError, Unreadable):
            return None

    def close(self) -> None:
        self._closed.set()
        if self._thread:
            self._thread.join()
        for key in sorted(self._held):
            with suppress(OSError):  # the lease of an ended process is void anyway
                self.release(key)

    def beat(self) -> None:
        """Renew all held leases; one that another driver has taken over meanwhile is given up."""
        for key in sorted(self._held):
            with self._changing, suppress(OSError):  # the next beat tries again
                if held := self._held.get(key):
                    self._renew(key, held)

    def _take_file(self, key: str) -> Process | None:
        with self._guard():
            holder = self.holder(key)
            if holder and holder != self._owner:
                return holder
            self._folder.replace(_name(key), self._content())
        self._held[key] = _Held()
        return None

    def _take_object(self, key: str) -> Process | None:
        assert self._objects
        name, version = _name(key), ""
        while not (version := self._objects.create(name, self._content())):
            with suppress(FileNotFoundError):  # released meanwhile
                found = self._objects.read(name)
                holder = _live(found)
                if holder and holder != self._owner:
                    return holder
                if version := self._objects.update(name, self._content(), found.version):
                    break
        self._held[key] = _Held(version=version, renewed=time.monotonic())
        return None

    def _renew(self, key: str, held: _Held) -> None:
        if self._objects is None:
            if self._folder.is_local:
                os.utime(f"{self._folder.path}/{_name(key)}")
            else:
                self._folder.replace(_name(key), self._content())
        elif version := self._objects.update(_name(key), self._content(), held.version):
            self._held[key] = _Held(version=version, renewed=time.monotonic())
        elif self.holder(key) != self._owner:  # else the answer to an earlier beat was lost
            del self._held[key]
        else:
            self._held[key] = replace(held, version=self._objects.read(_name(key)).version)

    def _delete(self, key: str, held: _Held) -> None:
        """Delete the lease, unless another driver may hold it by now."""
        if self._objects and time.monotonic() - held.renewed > STALE_SECONDS / 2 and self.holder(key) != self._owner:
            return
        self._folder.delete_file(_name(key))

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat_on, name="leases", daemon=True)
            self._thread.start()

    def _beat_on(self) -> None:
        while not self._closed.wait(BEAT_SECONDS):
            self.beat()

    def _content(self) -> bytes:
        """Text that differs at each beat, and with it the version of an object."""
        return json.dumps({**asdict(self._owner), "beat": time.time_ns()}).encode()

    def _written(self, key: str) -> float:
        info = self._folder.filesystem.get_file_info(f"{self._folder.path}/{_name(key)}")
        return float((info.mtime_ns or 0) / 1e9)

    def _guard(self) -> AbstractContextManager[Any]:
        """Exclude other drivers between reading and writing: two must not both take over from a dead one."""
        return FileLock(f"{self._folder.path}/.guard") if self._folder.is_local else nullcontext()


def _live(found: Content) -> Process | None:
    """The live process that a lease on S3 names."""
    with suppress(Unreadable):
        process = Process.from_json(decoded(found.content, _LEASE))
        return process if _is_valid(process, lambda: found.written) else None
    return None


def _is_valid(process: Process, written: Callable[[], float]) -> bool:
    if process.is_known_dead:
        return False
    return process.is_alive if process.is_here else time.time() - written() < STALE_SECONDS


def _name(key: str) -> str:
    return f"{key}.json"
