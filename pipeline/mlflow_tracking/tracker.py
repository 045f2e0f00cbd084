"""What MLflow should show for the stages of a run, and how it is brought up to date. All updates are idempotent.

Tested in tests/pipeline/mlflow_tracking/test_observer.py.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pipeline.keys.fingerprint import describe, digest, node_ids
from pipeline.mlflow_tracking.client import About, experiment_id, open_client
from pipeline.mlflow_tracking.loadable import mark_best
from pipeline.mlflow_tracking.models import model_name
from pipeline.mlflow_tracking.run import TrackedRun
from pipeline.redaction import redacted_json
from pipeline.store.events import RunState
from pipeline.store.process import Process, StoredProcess
from pipeline.store.provenance import user
from pipeline.store.reading import is_name
from pipeline.store.runs import StoredRun

if TYPE_CHECKING:
    from pipeline.planning.graph import Graph, Node
    from pipeline.stage import Stage
    from pipeline.store.events import Event
    from pipeline.store.store import Manifest, Store

STATUS = {
    "started": "RUNNING",
    "retried": "RUNNING",
    "committed": "FINISHED",
    "cached": "FINISHED",
    "failed": "FAILED",
    "cancelled": "KILLED",
}
"""Status of a stage's MLflow run after the newest event that affects it."""

STATUS_OF_INVOCATION = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
DONE = ("committed", "cached")


class Tracker:
    """Call `note` from any thread, `bring_up_to_date` from a single one."""

    def __init__(self, graph: Graph, store: Store, about: About, *, run_id: str) -> None:
        self._graph, self._store = graph, store
        self._about, self._run_id = about, run_id
        self._facts: dict[str, tuple[str, str]] = {}
        """{address: (kind of the newest event in STATUS, key)}"""
        self._invocation: dict[str, Any] = {}
        self._outcome = ""
        self._computes = False
        self._settled: set[str] = set()
        self._runs: _Runs | None = None
        self._owners = _owners(graph)

    def note(self, event: Event) -> None:
        """Take note of an event; cheap."""
        if event.kind == "run_started":
            self._invocation = dict(event.data)
        elif event.kind == "run_finished":
            self._outcome = event.data["status"]
        elif event.kind in STATUS:
            self._computes |= event.kind == "started"
            self._facts[event.address] = (event.kind, event.key)

    def add_committed(self, address: str, key: str) -> None:
        """Add a committed result that no event reported."""
        self._facts[address] = ("cached", key)

    def is_behind(self) -> bool:
        """Whether an earlier run of this experiment ended before MLflow was up to date."""
        return self._store.folder.exists(self._mark)

    def bring_up_to_date(self) -> None:
        """Update MLflow. Raises what MLflow raises; the next call continues where this one stopped."""
        outcome = self._outcome
        if self._runs is None:
            self._store.folder.write_bytes(self._mark, b"")
            self._runs = _Runs(self._store, self._about)
        invocation = self._invocation_run(self._runs) if self._computes else None
        for node in self._graph.nodes.values():
            if node.address in self._facts and node.id not in self._settled:
                self._update(self._runs, node, invocation)
        if invocation and outcome:
            invocation.set_status(STATUS_OF_INVOCATION[outcome])
        if outcome or not self._run_id:
            self._runs.mark_best()
            self._store.folder.delete(self._mark)

    @property
    def _mark(self) -> str:
        return f"mlflow-behind/{self._about.name}"

    def _invocation_run(self, runs: _Runs) -> TrackedRun:
        name = f"{self._about.name} · {self._run_id} · {self._commit[:7]}".rstrip(" ·")
        tags = {"ssdpipe.run": self._run_id, "ssdpipe.git": json.dumps(self._invocation.get("git", {}))}
        run = runs.of("ssdpipe.run", self._run_id, name, {**tags, **self._source()})
        run.log_parameters({"command": self._command})
        return run

    def _later_run(self, runs: _Runs) -> TrackedRun:
        """The run for results that earlier invocations of these targets failed to record, if this one runs nothing."""
        targets = digest(sorted(self._graph.targets))[:12]
        run = runs.of("ssdpipe.targets", targets, f"{self._about.name} · recorded later", {"ssdpipe.targets": targets})
        run.set_status("FINISHED")
        return run

    @property
    def _commit(self) -> str:
        return str(self._invocation.get("git", {}).get("commit", ""))

    @property
    def _command(self) -> str:
        program, *arguments = self._invocation.get("argv") or [""]
        return shlex.join([Path(program).name, *arguments])

    def _source(self) -> dict[str, str]:
        """Tags that MLflow shows in its columns source, version and user."""
        tags = {"mlflow.source.name": self._command, "mlflow.source.type": "LOCAL", "mlflow.user": user()}
        return tags | ({"mlflow.source.git.commit": self._commit} if self._commit else {})

    def _update(self, runs: _Runs, node: Node, invocation: TrackedRun | None) -> None:
        kind, key = self._facts[node.address]
        manifest = self._store.find(key) if kind in DONE else None
        owner = self._owners[node.id]
        if owner == node.id:
            self._update_tracked(runs, node, kind, key, manifest)
        elif manifest:
            run = self._tracked(runs, self._graph.nodes[owner]) if owner else invocation or self._later_run(runs)
            run.log_results(node.stage, manifest, self._store.output(manifest))
        if manifest or kind in ("failed", "cancelled"):
            self._settled.add(node.id)

    def _update_tracked(self, runs: _Runs, node: Node, kind: str, key: str, manifest: Manifest | None) -> None:
        run = self._tracked(runs, node, manifest)
        if manifest and run.has_all_of(manifest):
            return
        if manifest is None:
            run.follow(self._store.work(key))
        else:
            run.log_results(node.stage, manifest, self._store.output(manifest))
        run.set_status(STATUS[kind], ended=manifest.finished if manifest else None)

    def _tracked(self, runs: _Runs, node: Node, manifest: Manifest | None = None) -> TrackedRun:
        """The run of a tracked stage; its source is the invocation that last computed it.

        It is not nested in the run of the invocation: MLflow hides nested runs from its charts and from filtered lists
        until each row is expanded by hand.
        """
        kind, key = self._facts[node.address]
        stage = node.stage
        given = {**dict(stage.tags), "stage": node.address}
        tags = {"ssdpipe.key": key, "ssdpipe.stage": node.address, **given}
        if self._computes and kind != "cached":
            tags |= {"ssdpipe.invocation": self._run_id, **self._source()}
        began = manifest.finished - manifest.seconds if manifest else None
        run = runs.of("ssdpipe.key", key, run_name(stage), tags, began=began)
        run.log_parameters({**given, **stage.parameters()})
        return run


class _Runs:
    """The runs of one MLflow experiment that this driver writes to."""

    def __init__(self, store: Store, about: About) -> None:
        self._client, self._about = open_client(store.folder), about
        self._experiment_id = experiment_id(self._client, store.folder, about)
        self._driver = {"ssdpipe.store": store.folder.path, "ssdpipe.driver": json.dumps(asdict(Process.this()))}
        self._open: dict[str, TrackedRun] = {}
        end_runs_that_ended(self._client, store)

    def of(self, tag: str, value: str, name: str, tags: Mapping[str, str], *, began: float | None = None) -> TrackedRun:
        """Find or create the run whose `tag` has this value; `began` is in seconds since 1970 and defaults to now."""
        tags = {**tags, **self._driver}
        if value not in self._open:
            found = self._client.search_runs([self._experiment_id], f"tags.`{tag}` = '{value}'", max_results=1)
            run = found[0] if found else self._create(name, tags, began)
            self._open[value] = TrackedRun(self._client, run, self._about)
        run = self._open[value]
        run.set_tags(tags)
        return run

    def mark_best(self) -> None:
        """Give the alias `best` to the best model of the experiment."""
        if self._about.loader and self._about.primary_metric:
            mark_best(self._client, model_name(self._about.name), self._about.primary_metric)

    def _create(self, name: str, tags: Mapping[str, str], began: float | None) -> Any:
        start = began and int(began * 1000)
        return self._client.create_run(self._experiment_id, start_time=start, tags=redacted_json(tags), run_name=name)


def run_name(stage: Stage) -> str:
    """What a reader should see of a tracked stage: its label, data and seed, else its address."""
    tags = dict(stage.tags)
    if "label" not in tags:
        return stage.variant or stage.address
    seed = f"seed {tags['seed']}" if "seed" in tags else ""
    return " · ".join(part for part in (tags["label"], tags.get("data", ""), seed) if part)


def end_runs_that_ended(client: Any, store: Store) -> int:
    """Set the status of this store's runs that MLflow would leave RUNNING forever; return how many there were.

    What the events of a run report counts, on whatever host it ran; a driver of this host without an end was killed.
    """
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    ours = f"attributes.status = 'RUNNING' and tags.`ssdpipe.store` = \"{store.folder.path}\""
    ended = 0
    for run in client.search_runs(experiments, ours):
        if status := _end_of(run.data.tags, store):
            client.set_terminated(run.info.run_id, status=status)
            ended += 1
    return ended


def _end_of(tags: Mapping[str, str], store: Store) -> str:
    """Status of a run that has ended, by its tags; empty for one that may still run."""
    run_id = tags.get("ssdpipe.run") or tags.get("ssdpipe.invocation", "")
    state = StoredRun(store, run_id).state if is_name(run_id) else RunState()
    if stage := state.nodes.get(tags.get("ssdpipe.stage", "")):
        if (status := STATUS.get(stage.state, "")) not in ("", "RUNNING"):
            return status
    elif status := STATUS_OF_INVOCATION.get(state.status, ""):
        return status
    driver = Process.from_json(msgspec.json.decode(tags["ssdpipe.driver"], type=StoredProcess))
    return "KILLED" if driver.is_here and not driver.is_alive else ""


def _owners(graph: Graph) -> dict[str, str]:
    """{node id: id of the node whose run it belongs to, or empty}."""
    memo: dict[int, str] = {}
    tracked = {node.id: node.stage.tracked_by() for node in graph.nodes.values()}
    ids = {node_id: node_ids(stage, describe, memo) for node_id, stage in tracked.items() if stage}
    return {node_id: ids.get(node_id, "") for node_id in graph.nodes}
