"""Find the processes that a kind of death hits, and end them."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

import psutil

TITLES = {
    "raylet": "raylet",
    "head": "gcs_server",
    "map worker": "ray::_call",
    "training worker": "ray::RayTrainWorker",
    "training controller": "ray::TrainController",
    "loader process": "pt_data_worker",
}
"""How the name of a process, or the title that Ray gives it, begins."""

STAGES = ("ray::shard/", "ray::train/", "ray::detect/", "ray::evaluate/")
SIGNALS = {"driver SIGTERM": signal.SIGTERM, "driver SIGINT": signal.SIGINT, "driver SIGHUP": signal.SIGHUP}


def strike(kind: str, drivers: list[Popen[bytes]], processes: list[psutil.Process], leases: Path) -> int:
    """End the victims of a kind; return how many there were."""
    match kind:
        case "driver SIGKILL" | "driver SIGTERM" | "driver SIGINT" | "driver SIGHUP":
            victims = [psutil.Process(driver.pid) for driver in drivers[:1]]
        case "one of two drivers":
            victims = [psutil.Process(driver.pid) for driver in (*holding(drivers, leases), *drivers)][:1]
        case "both drivers":
            victims = [psutil.Process(driver.pid) for driver in drivers]
        case "everything":
            victims = processes
        case _:
            victims = [process for process in processes if _title(process).startswith(_titles(kind))][:1]
    for victim in victims:
        _signal(victim, SIGNALS.get(kind, signal.SIGKILL))
    return len(victims)


def end(processes: Iterable[psutil.Process]) -> None:
    """Kill what should have ended by itself."""
    for process in processes:
        _signal(process, signal.SIGKILL)


def _titles(kind: str) -> tuple[str, ...]:
    return STAGES if kind == "stage process" else (TITLES[kind],)


def _title(process: psutil.Process) -> str:
    try:
        name, line = process.name(), process.cmdline()
    except psutil.Error:
        return ""
    is_titled = line and line[0].startswith("ray::") and name != TITLES["loader process"]
    return str(line[0] if is_titled else name)


def holding(drivers: list[Popen[bytes]], leases: Path) -> list[Popen[bytes]]:
    """The drivers that hold a lease."""
    held = set()
    for path in list(leases.glob("*.json")):
        with suppress(FileNotFoundError):  # released meanwhile
            held.add(json.loads(path.read_bytes()).get("pid"))
    return [driver for driver in drivers if driver.pid in held]


def _signal(process: psutil.Process, number: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
