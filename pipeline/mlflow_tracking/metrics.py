"""Metrics sent to MLflow in batches, without those that it refuses.

Tested in tests/pipeline/mlflow_tracking/test_observer.py.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

METRICS_PER_CALL = 1000  # the limit of MLflow
REFUSALS = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
"""Error codes with which MLflow refuses the content of a call: a repetition would not help."""

logger = logging.getLogger(__name__)


def batches(metrics: Iterable[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for metric in metrics:
        batch.append(metric)
        if len(batch) == METRICS_PER_CALL:
            yield batch
            batch = []
    if batch:
        yield batch


class MetricLog:
    """The metrics of one run. A refused metric costs a warning, and the others of its batch are logged."""

    def __init__(self, client: Any, run_id: str) -> None:
        self._client, self._run_id = client, run_id
        self._refused: set[str] = set()

    def log(self, batch: list[Any]) -> None:
        """Log a batch, in halves where MLflow refuses a part of it. Raises whatever else MLflow raises."""
        from mlflow.exceptions import MlflowException

        try:
            self._client.log_batch(self._run_id, metrics=batch)
        except MlflowException as error:
            if error.error_code not in REFUSALS:
                raise
            if len(batch) == 1:
                self._warn(batch[0].key, str(error).strip().partition("\n")[0])
            else:
                middle = len(batch) // 2
                self.log(batch[:middle])
                self.log(batch[middle:])

    def _warn(self, name: str, reason: str) -> None:
        """Warn once for each name: a curve has many points."""
        if name not in self._refused:
            logger.warning(
                "MLflow refuses the metric %r (%s); the store has it, and the others are recorded", name, reason
            )
            self._refused.add(name)
