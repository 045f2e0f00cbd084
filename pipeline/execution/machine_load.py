"""Load of the machine that computes a stage, under MLflow's names of system metrics.

MLflow's own monitor writes to the tracker from the process that it watches. Here that is a worker on any host, which
may not reach the tracker: samples join the curve of the stage instead, and the driver logs them with it.
`MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING=false` turns them off, and `MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL` is the least
number of seconds between two.

Tested in tests/pipeline/execution/test_machine_load.py.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

import psutil

from pipeline.store.provenance import gpu_lines

SWITCH = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
INTERVAL = "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"
SECONDS = 10.0
FACTS = {
    "utilization.gpu": "utilization_percentage",
    "memory.used": "memory_usage_megabytes",
    "power.draw": "power_usage_watts",
}
"""Properties of a GPU, as `nvidia-smi` names them and as MLflow does."""

MIB = 2**20 / 1e6
"""Megabytes of a MiB."""


class MachineLoad:
    """Samples the machine of this process, at most once per interval, first at the end of one."""

    def __init__(self) -> None:
        self._seconds = _interval()
        self._taken: float | None = None
        self._gpus: dict[str, float] = {}

    def due(self) -> dict[str, float]:
        """A sample if one is due, else nothing. GPUs are asked meanwhile, by a thread: their numbers come next time."""
        if self._seconds is None:
            return {}
        now = time.monotonic()
        if self._taken is None:
            psutil.cpu_percent()  # the next call reports the use since this one, by the same thread
            self._taken = now
        if now - self._taken < self._seconds:
            return {}
        self._taken = now
        if shutil.which("nvidia-smi"):
            threading.Thread(target=self._ask_gpus, name="nvidia-smi", daemon=True).start()
        return {**_host(), **self._gpus}

    def _ask_gpus(self) -> None:
        self._gpus = dict(gpu_load(gpu_lines(",".join(("index", *FACTS))), os.environ.get("CUDA_VISIBLE_DEVICES")))


def _interval() -> float | None:
    """Seconds between two samples; None if they are turned off."""
    if os.environ.get(SWITCH, "").strip().lower() in ("false", "0"):
        return None
    with suppress(ValueError):
        return float(os.environ.get(INTERVAL, ""))
    return SECONDS


def _host() -> dict[str, float]:
    """Use of processors, memory and network; network counts since the machine started."""
    memory, network = psutil.virtual_memory(), psutil.net_io_counters()
    used = {
        "system/cpu_utilization_percentage": psutil.cpu_percent(),
        "system/system_memory_usage_megabytes": memory.used / 1e6,
        "system/system_memory_usage_percentage": memory.percent,
    }
    if network:
        used["system/network_receive_megabytes"] = network.bytes_recv / 1e6
        used["system/network_transmit_megabytes"] = network.bytes_sent / 1e6
    return used


def gpu_load(lines: Iterable[str], visible: str | None) -> Iterator[tuple[str, float]]:
    """Metrics of the GPUs that a process sees, from lines such as `0, 35 %, 1234 MiB, 70.00 W`."""
    seen = [each.strip() for each in visible.split(",")] if visible else []
    for line in lines:
        index, *values = (value.strip() for value in line.split(","))
        if any(each.isdigit() for each in seen) and index not in seen:
            continue
        for name, value in zip(FACTS.values(), values, strict=False):
            with suppress(ValueError, IndexError):  # such as [N/A]
                number = float(value.split()[0])
                yield f"system/gpu_{index}_{name}", number * MIB if "MiB" in value else number
