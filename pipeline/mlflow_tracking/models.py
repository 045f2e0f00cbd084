"""The weights of a tracked stage as MLflow models, so that evaluation numbers are shown beside them.

Files stay in the store; an MLflow model only records their location. There is one for each step, linked to its run.
That of the last step can be loaded by MLflow and is a version in its registry.

Tested in tests/pipeline/mlflow_tracking/test_observer.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.folder import Folder
from pipeline.mlflow_tracking.loadable import make_loadable, register
from pipeline.store.store import Manifest

READY = "READY"
STEP, FILE = "ssdpipe.step", "ssdpipe.file"
PER_PAGE = 100
ELSEWHERE = {"mlflow.model.isExternal": "true"}
"""Tag of a model whose files are not stored in MLflow."""


class RunModels:
    """The MLflow models of one run."""

    def __init__(self, client: Any, run: Any, *, loader: str = "", registered_as: str = "") -> None:
        self._client, self._run = client, run
        self._loader, self._registered_as = loader, registered_as
        self._run_id: str = run.info.run_id
        self._experiment_id: str = run.info.experiment_id
        self._name: str = run.info.run_name
        self._known: dict[int, str] | None = None

    def at(self, step: int) -> str | None:
        """Id of the model of a step."""
        return self._ids.get(step)

    def last(self) -> str | None:
        """Id of the model of the last step."""
        return self._ids[max(self._ids)] if self._ids else None

    def add(self, files: Mapping[str, int], manifest: Manifest, output: Folder, parameters: Mapping[str, str]) -> None:
        """Register the weights of a committed result that are not registered yet: an earlier call may have failed."""
        from mlflow.entities import LoggedModelOutput

        self._known = None  # search again: an earlier call may have left models unfinished
        for file, step in files.items():
            if step not in self._ids:
                last = step == max(files.values())
                tags = {STEP: str(step), FILE: f"{output.shown}/{file}", "ssdpipe.key": manifest.key}
                tags |= {} if last and self._loader else ELSEWHERE
                self._ids[step] = self._create(step, last=last, tags=tags, params=parameters)
        linked = {item.model_id for item in self._client.get_run(self._run_id).outputs.model_outputs}
        missing = [LoggedModelOutput(model, step) for step, model in self._ids.items() if model not in linked]
        if missing:
            self._client.log_outputs(self._run_id, missing)
        if (model := self.last()) and self._loader:
            register(self._client, self._registered_as, model, self._run)

    @property
    def _ids(self) -> dict[int, str]:
        """{step: model id}, queried from MLflow once."""
        if self._known is None:
            self._known = {int(model.tags[STEP]): model.model_id for model in self._search() if STEP in model.tags}
        return self._known

    def _search(self) -> Iterator[Any]:
        """Search page by page, and finalize models that were left unfinished."""
        token: str | None = None
        while token != "":
            ours = f"source_run_id = '{self._run_id}'"
            page = self._client.search_logged_models(
                [self._experiment_id], ours, max_results=PER_PAGE, page_token=token
            )
            for model in page:
                yield model if str(model.status) == READY else self._finalize(model.model_id)
            token = page.token or ""

    def _create(self, step: int, *, last: bool, tags: Mapping[str, str], params: Mapping[str, str]) -> str:
        model = self._client.create_logged_model(
            self._experiment_id,
            name=model_name(self._name if last else f"{self._name} step {step}"),
            source_run_id=self._run_id,
            tags=dict(tags),
            params=dict(params),
            model_type="weights",
        )
        if last and self._loader:
            make_loadable(self._client, model.model_id, self._run_id, self._loader, tags[FILE])
        return str(self._finalize(model.model_id).model_id)

    def _finalize(self, model_id: str) -> Any:
        return self._client.finalize_logged_model(model_id, READY)


def model_name(name: str) -> str:
    """Replace characters that MLflow rejects in model names, as in `conv7-only/seed0`, by `-`."""
    return re.sub(r"[/:.%\"']+", "-", name)
