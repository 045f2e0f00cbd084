"""The stages behind a bundle's table, built of the installed classes; only those computed from detections are run.

Tested in tests/experiments/cli/bundles/test_verify.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from graphlib import CycleError, TopologicalSorter
from typing import Any, get_type_hints

import msgspec

from experiments.framework.bundles.index import Index, TableEntry
from experiments.framework.bundles.results import RECOMPUTED, read_manifest
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.keys.fingerprint import describe
from pipeline.stage import Stage
from pipeline.store.manifest import Manifest
from pipeline.store.record import SUMMARY
from stages.bundles.archived import Archived
from stages.tables.content import Cell
from stages.tables.table import Table

SCORED = ("detections", "shards")
"""Fields by which the stages that are computed again hold their inputs."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An unpacked bundle whose index was read."""

    folder: Folder
    index: Index
    manifests: Mapping[str, Manifest]
    """Manifests of the results, by key."""

    stages: dict[str, Stage] = field(default_factory=dict)
    """Stages built so far, by key, so that a stage is one object."""

    @classmethod
    def read(cls, folder: Folder, index: Index) -> Bundle:
        """Raises PipelineError for a result whose key is not that of its settings, code and inputs, or which is its own
        ancestor.
        """
        manifests = {key: read_manifest(folder / entry.folder, folder) for key, entry in index.results.items()}
        for key, manifest in manifests.items():
            if key != manifest.key:
                raise PipelineError(f"{manifest.address}: the bundle lists the key {key}, but it has {manifest.key}")
        inputs = {key: {held["key"] for held in manifest.inputs.values()} for key, manifest in manifests.items()}
        try:
            TopologicalSorter(inputs).prepare()
        except CycleError as error:
            raise PipelineError("the bundle holds results that were computed from each other") from error
        return cls(folder=folder, index=index, manifests=manifests)

    def place(self, key: str) -> Folder:
        return self.folder / self.index.results[key].folder

    def address(self, key: str) -> str:
        return self.index.results[key].address

    def has_numbers(self, key: str) -> bool:
        """Whether the bundle holds its summary."""
        return f"{self.index.results[key].folder}/{SUMMARY}" in self.index.members

    def is_recomputed(self, key: str) -> bool:
        """Whether its numbers are computed from detections in the bundle."""
        manifest = self.manifests[key]
        held = [manifest.inputs[name]["key"] for name in SCORED if name in manifest.inputs]
        return (
            manifest.ingredients.stage in RECOMPUTED
            and len(held) == len(SCORED)
            and all(key in self.manifests for key in held)
        )

    def stage(self, key: str) -> Stage:
        """The stage of a result: to be computed again, or as it was archived."""
        if key not in self.stages:
            self.stages[key] = self._recomputed(key) if self.is_recomputed(key) else self._archived(key)
        return self.stages[key]

    def table(self) -> Table:
        keys = {entry.address: key for key, entry in self.index.results.items()}
        return _table(
            self.index.table,
            self.index.experiment,
            {
                address: self.stage(keys[address]) if address in keys else Archived(named=address)
                for cell in self.index.table.cells
                for address in cell.results
            },
        )

    def _recomputed(self, key: str) -> Stage:
        manifest, kind = self.manifests[key], RECOMPUTED[self.manifests[key].ingredients.stage]
        inputs: dict[str, Any] = {name: self.stage(manifest.inputs[name]["key"]) for name in SCORED}
        variant = self.index.results[key].address.partition("/")[2]
        stage = kind(**inputs, **_settings(kind, manifest), variant=variant)
        refuse_other_config(manifest, stage)
        return stage

    def _archived(self, key: str) -> Archived:
        manifest = self.manifests[key]
        shards = manifest.inputs["shards"]["key"] if "shards" in manifest.inputs else ""
        return Archived(
            named=self.index.results[key].address,
            digest=manifest.digest,
            shards=self.stage(shards) if shards in self.manifests else None,
            allow_trained_images=bool(_shown(manifest).get("allow_trained_images")),
            folder=self.place(key).path,
        )


def refuse_other_config(manifest: Manifest, stage: Stage) -> None:
    """Raise PipelineError if a stage built of the shown settings is not of those in the key."""
    config, there = describe(stage).config, manifest.ingredients.config
    if {**config, "training": None} != {**there, "training": None}:  # scored again without its training
        raise PipelineError(f"{manifest.address}: its settings in the bundle are not those of its key")


def _settings(kind: type[Stage], manifest: Manifest) -> dict[str, Any]:
    """The fields of a stage besides its inputs and those that change no result."""
    hints, shown = get_type_hints(kind), _shown(manifest)
    names = [item.name for item in fields(kind) if not item.metadata.get("execution")]
    plain = [name for name in names if name in shown and name not in (*SCORED, "training")]
    try:
        return {name: msgspec.convert(shown[name], hints[name]) for name in plain}
    except msgspec.ValidationError as error:
        raise PipelineError(f"{manifest.address}: the bundle holds a setting that cannot be read: {error}") from error


def _shown(manifest: Manifest) -> dict[str, Any]:
    return manifest.settings if isinstance(manifest.settings, dict) else {}


def _table(entry: TableEntry, name: str, stages: Mapping[str, Stage]) -> Table:
    return Table(
        variant=name,
        title=entry.title,
        preset=entry.preset,
        row_title=entry.row_title,
        column_title=entry.column_title,
        departures=tuple(entry.departures),
        published_title=entry.published_title,
        metric=entry.metric,
        replicates=entry.replicates,
        cells=tuple(
            Cell(
                row=cell.row,
                column=cell.column,
                boxes=cell.boxes,
                published=cell.published,
                metric=cell.metric,
                unit=cell.unit,
                published_classes=tuple(cell.published_classes),
                results=tuple(stages[address] for address in cell.results),
            )
            for cell in entry.cells
        ),
    )
