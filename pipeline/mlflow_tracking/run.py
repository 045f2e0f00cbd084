"""One run of MLflow, brought up to date as often as one likes: what it has already is not logged again.

Tested in tests/pipeline/mlflow_tracking/test_observer.py.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.folder import Folder
from pipeline.mlflow_tracking.client import NOTE, legal_name
from pipeline.mlflow_tracking.models import RunModels
from pipeline.stage import Stage
from pipeline.store.record import CURVE, SUMMARY, Point, read_curve
from pipeline.store.store import Manifest

METRICS_PER_CALL = 1000  # the limit of MLflow
PARAMETER_CHARACTERS = 6000
NOTE_CHARACTERS = 8000
LOGGED = "ssdpipe.logged"
"""Tag with the keys of all results that the run has; one tag, since MLflow shows each of them."""


DataSet = tuple[str, str]
"""Address and digest."""


class TrackedRun:
    """The run of one stage, or of one invocation. Not safe for several threads."""

    def __init__(self, client: Any, run: Any) -> None:
        self._client = client
        self.id: str = run.info.run_id
        self.tags: dict[str, str] = dict(run.data.tags)
        self._status: str = run.info.status
        self._parameters: dict[str, str] = dict(run.data.params)
        self._models = RunModels(client, run)
        self._metrics = list(run.data.metrics)
        self._offset = 0

    @cached_property
    def _last_steps(self) -> dict[str, int]:
        """{metric: last logged step}, asked of MLflow when there is something to log."""
        return {name: _last_step(self._client, self.id, name) for name in self._metrics}

    def has_all_of(self, manifest: Manifest) -> bool:
        """Everything of this committed result was logged before."""
        return self._status == "FINISHED" and self._has(manifest.key)

    def _has(self, key: str) -> bool:
        return _short(key) in self.tags.get(LOGGED, "").split()

    def set_status(self, status: str, *, ended: float | None = None) -> None:
        """`ended` is in seconds since the epoch; now without it."""
        if status == self._status:
            return
        if status == "RUNNING":
            self._client.update_run(self.id, status=status)
        else:
            self._client.set_terminated(self.id, status=status, end_time=ended and int(ended * 1000))
        self._status = status

    def set_tags(self, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        changed = {name: value for name, value in tags.items() if self.tags.get(name) != value}
        if changed:
            self._client.log_batch(self.id, tags=[RunTag(name, value) for name, value in changed.items()])
            self.tags.update(changed)

    def log_parameters(self, parameters: Mapping[str, object]) -> None:
        """Parameters cannot change in MLflow: the first value of a name stays."""
        from mlflow.entities import Param

        new = {legal_name(name): str(value)[:PARAMETER_CHARACTERS] for name, value in parameters.items()}
        new = {name: value for name, value in new.items() if name not in self._parameters}
        for start in range(0, len(new), 100):
            some = list(new.items())[start : start + 100]
            self._client.log_batch(self.id, params=[Param(name, value) for name, value in some])
        self._parameters |= new

    def log_points(self, points: Iterable[Point]) -> None:
        """Log the values of steps after the last logged one, name by name."""
        for batch in _batches(_metrics(points, self._last_steps, self._models)):
            self._client.log_batch(self.id, metrics=batch)
            for metric in batch:
                self._last_steps[metric.key] = max(metric.step, self._last_steps.get(metric.key, metric.step))

    def log_curve(self, output: Folder) -> None:
        """Log the curve of a committed result."""
        self.log_points(read_curve(output))

    def follow(self, work: Folder) -> None:
        """Log what a growing curve has gained since the last call; a line without its end waits."""
        if not work.exists(CURVE):
            return
        with work.open_input(CURVE) as stream:
            stream.seek(min(self._offset, stream.size()))
            content = stream.read()
        whole = content[: content.rfind(b"\n") + 1]
        self.log_points(point for line in whole.splitlines() if (point := Point.parse(line)))
        self._offset += len(whole)

    def log_results(self, stage: Stage, manifest: Manifest, output: Folder) -> None:
        """All that is shown of a committed stage, once for each key: curve, numbers, files, data sets, models."""
        if self._has(manifest.key):
            return
        data_set = self._log_data_sets(stage, manifest)
        self.log_curve(output)
        if output.exists(SUMMARY):
            model = None if output.exists(CURVE) else self._models.last()  # the numbers of a curve are of no one step
            self._log_numbers(_numbers(output.read_json(SUMMARY)), manifest.finished, model, data_set)
        for name in stage.artifacts():
            self._log_artifact(manifest.address, output, name)
        if models := stage.models():
            self._models.add(models, manifest, output, self._parameters)
        logged = f"{self.tags.get(LOGGED, '')} {_short(manifest.key)}".lstrip()
        self.set_tags({LOGGED: logged, **self._note(stage, output)})

    def _log_numbers(
        self, numbers: Mapping[str, float], seconds: float, model: str | None, data_set: DataSet | None
    ) -> None:
        """Of the run, and of a model. At step 0, for MLflow draws what has a later one as a curve of one point and
        not as a bar. A later result of the same name wins by its time; the same one again is no second point, for
        MLflow keeps one of equal name, time, step and value."""
        from mlflow.entities import Metric

        milliseconds = int(seconds * 1000)
        name_of_data, digest = data_set or (None, None)
        metrics = [
            Metric(legal_name(name), value, milliseconds, 0, model, name_of_data, digest)
            for name, value in numbers.items()
        ]
        for start in range(0, len(metrics), METRICS_PER_CALL):
            self._client.log_batch(self.id, metrics=metrics[start : start + METRICS_PER_CALL])

    def _log_data_sets(self, stage: Stage, manifest: Manifest) -> DataSet | None:
        """The data sets among the inputs, with the digests of their content; the first of them."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        found = [(use, manifest.inputs[field]) for field, use in stage.data_sets().items() if field in manifest.inputs]
        inputs = [
            DatasetInput(
                Dataset(given["address"], given["digest"], "local", json.dumps({"key": given["key"]})),
                [InputTag("mlflow.data.context", use)],
            )
            for use, given in found
        ]
        if inputs:
            self._client.log_inputs(self.id, inputs)
        return (found[0][1]["address"], found[0][1]["digest"]) if found else None

    def _note(self, stage: Stage, output: Folder) -> dict[str, str]:
        """What a person reads first of the stage, below what the page of the run says already; nothing if too long."""
        name = stage.description()
        if not name or not output.exists(name):
            return {}
        told = "\n\n".join(part for part in (self.tags.get(NOTE, ""), output.read_bytes(name).decode()) if part)
        return {NOTE: told} if len(told) <= NOTE_CHARACTERS else {}

    def _log_artifact(self, address: str, output: Folder, name: str) -> None:
        if not output.exists(name):
            return
        if output.is_local:
            self._client.log_artifact(self.id, f"{output.path}/{name}", address)
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / Path(name).name
            copy.write_bytes(output.read_bytes(name))
            self._client.log_artifact(self.id, str(copy), address)


def _short(key: str) -> str:
    return key[:12]


def _last_step(client: Any, run_id: str, name: str) -> int:
    return max(int(metric.step) for metric in client.get_metric_history(run_id, name))


def _metrics(points: Iterable[Point], last_steps: Mapping[str, int], models: RunModels) -> Iterator[Any]:
    """Each (name, step) once and in order; a stage that was resumed tells the steps after its checkpoint again."""
    from mlflow.entities import Metric

    seen = dict(last_steps)
    for point in points:
        step, milliseconds = point.step, int(point.time * 1000)
        for name, value in point.values.items():
            legal = legal_name(name)
            if step > seen.get(legal, -1):
                seen[legal] = step
                yield Metric(legal, float(value), milliseconds, step, models.at(step))


def _batches(metrics: Iterable[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for metric in metrics:
        batch.append(metric)
        if len(batch) == METRICS_PER_CALL:
            yield batch
            batch = []
    if batch:
        yield batch


def _numbers(summary: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in summary.items() if isinstance(value, int | float)}
