"""One MLflow run; all updates are idempotent.

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
from pipeline.mlflow_tracking.client import NOTE, About
from pipeline.mlflow_tracking.metrics import MetricLog, batches
from pipeline.mlflow_tracking.models import RunModels, model_name
from pipeline.mlflow_tracking.names import legal_names
from pipeline.redaction import redacted
from pipeline.stage import Stage
from pipeline.store.record import CURVE, SUMMARY, Point, read_curve, read_summary
from pipeline.store.store import Manifest

PARAMETER_CHARACTERS = 6000
NOTE_CHARACTERS = 8000
METRIC_NAMES = "metric-names.json"
"""Artifact of a result: {name in MLflow: name} of the metrics that have another name there."""

LOGGED = "ssdpipe.logged"
"""Tag that lists the keys of all logged results; a single tag, since MLflow shows every tag."""


DataSet = tuple[str, str]
"""Address and digest of a data set."""


class TrackedRun:
    """The run of one tracked stage or of one invocation. Not thread-safe."""

    def __init__(self, client: Any, run: Any, about: About | None = None) -> None:
        self._client = client
        self.id: str = run.info.run_id
        self.tags: dict[str, str] = dict(run.data.tags)
        self._status: str = run.info.status
        self._parameters: dict[str, str] = dict(run.data.params)
        about = about or About(name="")
        self._models = RunModels(client, run, loader=about.loader, registered_as=model_name(about.name))
        self._logged = list(run.data.metrics)
        self._metrics = MetricLog(client, self.id)
        self._curves: dict[str, str] = {}
        """{name: name in MLflow} of what was logged as curves."""

        self._offset = 0

    @cached_property
    def _last_steps(self) -> dict[str, int]:
        """{metric: last logged step}, queried from MLflow when there is something to log."""
        return {name: _last_step(self._client, self.id, name) for name in self._logged}

    def has_all_of(self, manifest: Manifest) -> bool:
        """Whether this committed result has been logged completely."""
        return self._status == "FINISHED" and self._has(manifest.key)

    def _has(self, key: str) -> bool:
        return _short(key) in self.tags.get(LOGGED, "").split()

    def set_status(self, status: str, *, ended: float | None = None) -> None:
        """Set the status; `ended` is in seconds since 1970 and defaults to now."""
        if status == self._status:
            return
        if status == "RUNNING":
            self._client.update_run(self.id, status=status)
        else:
            self._client.set_terminated(self.id, status=status, end_time=ended and int(ended * 1000))
        self._status = status

    def set_tags(self, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        shown = {name: redacted(value) for name, value in tags.items()}
        changed = {name: value for name, value in shown.items() if self.tags.get(name) != value}
        if changed:
            self._client.log_batch(self.id, tags=[RunTag(name, value) for name, value in changed.items()])
            self.tags.update(changed)

    def log_parameters(self, parameters: Mapping[str, object]) -> None:
        """Log parameters that are not logged yet: MLflow cannot change a parameter, so the first value stays."""
        from mlflow.entities import Param

        legal = legal_names(parameters)
        new = {legal[name]: redacted(str(value))[:PARAMETER_CHARACTERS] for name, value in parameters.items()}
        new = {name: value for name, value in new.items() if name not in self._parameters}
        for start in range(0, len(new), 100):
            some = list(new.items())[start : start + 100]
            self._client.log_batch(self.id, params=[Param(name, value) for name, value in some])
        self._parameters |= new

    def log_points(self, points: Iterable[Point]) -> None:
        """Log the values of steps after the last logged step of each metric."""
        for batch in batches(self._new_metrics(points)):
            self._metrics.log(batch)
            for metric in batch:
                self._last_steps[metric.key] = max(metric.step, self._last_steps.get(metric.key, metric.step))

    def _new_metrics(self, points: Iterable[Point]) -> Iterator[Any]:
        """Each (name, step) once and in order; a resumed stage records steps after its checkpoint again."""
        from mlflow.entities import Metric

        seen = dict(self._last_steps)
        for point in points:
            step, milliseconds = point.step, int(point.time * 1000)
            self._curves = legal_names(point.values, self._curves)
            for name, value in point.values.items():
                legal = self._curves[name]
                if step > seen.get(legal, -1):
                    seen[legal] = step
                    yield Metric(legal, float(value), milliseconds, step, self._models.at(step))

    def log_curve(self, output: Folder) -> dict[str, str]:
        """Log the curve of a committed result; return {name: name in MLflow}."""
        points = read_curve(output)
        self.log_points(points)
        return {name: self._curves[name] for point in points for name in point.values}

    def follow(self, work: Folder) -> None:
        """Log what was appended to a curve since the last call; an incomplete line is left for the next call."""
        if not work.is_local:
            self.log_points(read_curve(work))  # in parts
            return
        if not work.exists(CURVE):
            return
        with work.open_input(CURVE) as stream:
            stream.seek(min(self._offset, stream.size()))
            content = stream.read()
        whole = content[: content.rfind(b"\n") + 1]
        self.log_points(point for line in whole.splitlines() if (point := Point.parse(line)))
        self._offset += len(whole)

    def log_results(self, stage: Stage, manifest: Manifest, output: Folder) -> None:
        """Log everything that is shown of a committed stage, once per key: curve, numbers, files, data sets, models."""
        if self._has(manifest.key):
            return
        data_set = self._log_data_sets(stage, manifest)
        names = self.log_curve(output)
        if output.exists(SUMMARY):
            model = None if output.exists(CURVE) else self._models.last()  # a curve's numbers belong to no single step
            names |= self._log_numbers(read_summary(output), manifest.finished, model, data_set)
        if renamed := {legal: name for name, legal in names.items() if legal != name}:
            self._client.log_dict(self.id, renamed, f"{manifest.address}/{METRIC_NAMES}")
        for name in stage.artifacts():
            self._log_artifact(manifest.address, output, name)
        if models := stage.models():
            self._models.add(models, manifest, output, self._parameters)
        logged = f"{self.tags.get(LOGGED, '')} {_short(manifest.key)}".lstrip()
        self.set_tags({LOGGED: logged, **self._note(stage, output)})

    def _log_numbers(
        self, numbers: Mapping[str, float], seconds: float, model: str | None, data_set: DataSet | None
    ) -> dict[str, str]:
        """Log numbers of the run, and of a model if given; return {name: name in MLflow}.

        They are logged at step 0, because MLflow draws a number at a later step as a curve of one point, not as a bar.
        A later result with the same name replaces the earlier one by its time. Logging a result twice adds no second
        point: MLflow keeps one of equal name, time, step and value.
        """
        from mlflow.entities import Metric

        milliseconds = int(seconds * 1000)
        data_name, digest = data_set or (None, None)
        legal = legal_names(numbers)
        metrics = (
            Metric(legal[name], float(value), milliseconds, 0, model, data_name, digest)
            for name, value in numbers.items()
        )
        for batch in batches(metrics):
            self._metrics.log(batch)
        return legal

    def _log_data_sets(self, stage: Stage, manifest: Manifest) -> DataSet | None:
        """Log the data sets among the inputs with the digests of their content; return the first one, if any."""
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
        """The stage's description appended to the note of the run's page; nothing if the note would be too long."""
        name = stage.description()
        if not name or not output.exists(name):
            return {}
        note = "\n\n".join(part for part in (self.tags.get(NOTE, ""), output.read_bytes(name).decode()) if part)
        return {NOTE: note} if len(note) <= NOTE_CHARACTERS else {}

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
