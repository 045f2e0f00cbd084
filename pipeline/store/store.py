"""Results on any pyarrow file system. A stage writes into a private attempt folder; one manifest, written last and
atomically, commits it, and readers trust manifests only.

    format.json                     {"format": 1}
    keys/<key>.json                 manifest: where the result is stored and everything it was computed from
    objects/<key>/<attempt>/...     files of one attempt
    work/<key>/                     what outlives a killed attempt: checkpoints, curves, progress
    runs/<run>/events.jsonl         what happened; runs/<run>/logs/<stage>.log
    leases/<key>.json               which driver works on a key

Two attempts that race on a key are both valid; the manifest names one of them. On S3 the first one to be published
stays (a write on the condition that nothing exists), and the other driver adopts it.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any

import msgspec
from pyarrow import fs

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.keys.fingerprint import digest
from pipeline.object_store import Objects
from pipeline.redaction import redacted_json
from pipeline.store.integrity import StoredFile, first_gap, sha256_of
from pipeline.store.manifest import Manifest, parse_manifest
from pipeline.store.reading import LARGEST, Unreadable, is_name, read_limited, read_typed
from pipeline.store.unfollowed import delete_at

__all__ = ["Manifest", "Store", "checksums", "log_name", "output_digest"]

FORMAT = 1
UNDIGESTED = ("metrics.jsonl", "timing.json")
"""Names of output files that contain times: kept and checksummed, but not part of the output digest."""


@dataclass(frozen=True)
class Store:
    folder: Folder

    @classmethod
    def open(cls, uri: str) -> Store:
        """Open a store, which need not exist: nothing is created.

        Raises PipelineError when its format is newer or `format.json` is damaged.
        """
        folder = Folder.at(uri)
        if folder.exists("format.json") and (version := _format(folder)) > FORMAT:
            raise PipelineError(
                f"the store {uri} has format {version}, but this version reads formats up to {FORMAT}; "
                "install a newer ssdpipe, or name another store with --store or SSDPIPE_STORE"
            )
        return cls(folder)

    def prepare(self) -> None:
        """Create the store before the first write."""
        if not self.is_prepared():
            self.folder.replace("format.json", f'{{"format": {FORMAT}}}\n'.encode())

    def is_prepared(self) -> bool:
        return self.folder.exists("format.json")

    def find(self, key: str) -> Manifest | None:
        """The manifest of a committed result whose files exist with their sizes, else None."""
        return self.look(key)[0]

    def look(self, key: str) -> tuple[Manifest | None, str]:
        """What `find` returns, and why a committed result does not count: a file that is missing or cut."""
        manifest = self._committed(key)
        gap = self._gap(manifest) if manifest else ""
        return (None if gap else manifest), gap

    def keys_with_work(self) -> set[str]:
        """Keys with a work folder; one request for all of them."""
        work = self.folder / "work"
        infos = work.filesystem.get_file_info(fs.FileSelector(work.path, allow_not_found=True))
        return {str(info.base_name) for info in infos}

    def _committed(self, key: str) -> Manifest | None:
        """The manifest of a key, whatever its files; a broken manifest is ignored."""
        return self._read(key) if is_name(key) else None

    def _gap(self, manifest: Manifest) -> str:
        return first_gap(self.output(manifest), manifest.files)

    def manifests(self) -> list[Manifest]:
        """All manifests, oldest first."""
        names = [name for name in (self.folder / "keys").files() if name.endswith(".json")]
        manifests = [manifest for name in names if (manifest := self._read(name.removesuffix(".json")))]
        return sorted(manifests, key=lambda manifest: manifest.finished)

    def defect(self, key: str) -> str:
        """Why the manifest of a key cannot be read; empty when it can, or when there is none."""
        try:
            self._parsed(key)
        except Unreadable as error:
            return str(error)
        except FileNotFoundError:
            pass
        return ""

    def broken_manifests(self) -> dict[str, str]:
        """{key: why its manifest cannot be read}, as named by their files."""
        names = [name for name in (self.folder / "keys").files() if name.endswith(".json")]
        defects = {name.removesuffix(".json"): self.defect(name.removesuffix(".json")) for name in names}
        return {key: defect for key, defect in defects.items() if defect}

    def output(self, manifest: Manifest) -> Folder:
        return self.attempt(manifest.key, manifest.attempt)

    def attempt(self, key: str, attempt: str) -> Folder:
        return self.folder / f"objects/{key}/{attempt}"

    def work(self, key: str) -> Folder:
        return self.folder / f"work/{key}"

    def run(self, run_id: str) -> Folder:
        return self.folder / f"runs/{run_id}"

    def commit(self, draft: Manifest) -> Manifest:
        """Make `draft.attempt` the result of its key, unless another attempt already is; return the valid manifest."""
        manifest = self.find(draft.key) or self._publish(draft)
        if manifest.attempt != draft.attempt:
            delete_at(self.folder, f"objects/{draft.key}/{draft.attempt}")
        delete_at(self.folder, f"work/{draft.key}")
        return manifest

    def discard(self, manifest: Manifest) -> None:
        """Delete a result: its manifest first, so that no reader trusts what remains if this is interrupted."""
        self.folder.delete(f"keys/{manifest.key}.json")
        delete_at(self.folder, f"objects/{manifest.key}/{manifest.attempt}")

    def discard_broken(self, key: str) -> None:
        """Delete a manifest that cannot be read; what it committed becomes a leftover."""
        delete_at(self.folder, f"keys/{key}.json")

    def _publish(self, draft: Manifest) -> Manifest:
        files = checksums(self.output(draft))
        shown = {"provenance": redacted_json(draft.provenance), "tags": redacted_json(draft.tags)}
        manifest = replace(draft, **shown, files=files, digest=output_digest(files), finished=time.time())
        content = json.dumps(manifest, default=_by_field, indent=1, sort_keys=True).encode()
        objects = (self.folder / "keys").objects
        if objects is None:
            self.folder.replace(f"keys/{draft.key}.json", content)
            return self.find(draft.key) or manifest  # another driver may have published at the same moment
        return self._publish_first(objects, manifest, content)

    def _publish_first(self, objects: Objects, manifest: Manifest, content: bytes) -> Manifest:
        """Write a manifest unless another driver did first; return the valid one."""
        name = f"{manifest.key}.json"
        while not objects.create(name, content):
            with suppress(FileNotFoundError):  # discarded meanwhile
                found = objects.read(name)
                if winner := self.find(manifest.key):
                    return winner
                if objects.update(name, content, found.version):  # the one that is there is broken, or its files are
                    break
        return manifest

    def _read(self, key: str) -> Manifest | None:
        try:
            return self._parsed(key)
        except (Unreadable, FileNotFoundError):
            return None

    def _parsed(self, key: str) -> Manifest:
        """Raises Unreadable, and FileNotFoundError."""
        manifest = parse_manifest(read_limited(self.folder / "keys", f"{key}.json", LARGEST))
        if manifest.key != key:
            raise Unreadable("it is the manifest of another key")
        return manifest


def _by_field(value: Any) -> dict[str, Any]:
    """A dataclass for `json`; `asdict` would copy everything in it first."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


class _Format(msgspec.Struct):
    format: Annotated[int, msgspec.Meta(ge=1)]


_FORMAT = msgspec.json.Decoder(_Format)


def _format(folder: Folder) -> int:
    try:
        return read_typed(folder, "format.json", _FORMAT).format
    except (Unreadable, OSError) as error:
        raise PipelineError(
            f"{folder.uri}/format.json cannot be read ({error}), so the format of this store is unknown. If it is a "
            f'store of this version, write {{"format": {FORMAT}}} into the file; otherwise name another store with '
            "--store or SSDPIPE_STORE"
        ) from error


def log_name(address: str) -> str:
    """File name of a stage's log below `runs/<run>/logs`."""
    return f"{address.replace('/', '__')}.log"


def checksums(folder: Folder) -> tuple[StoredFile, ...]:
    sizes = sorted(folder.sizes().items())
    return tuple(StoredFile(path=name, size=size, sha256=sha256_of(folder, name)) for name, size in sizes)


def output_digest(files: tuple[StoredFile, ...]) -> str:
    counted = [file for file in files if file.path.rpartition("/")[2] not in UNDIGESTED]
    return digest(sorted([file.path, file.sha256] for file in counted))
