"""Conditions of a measurement: card, driver, libraries, processor, date and commit."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from pipeline.store.provenance import gpus


def conditions(device: torch.device) -> dict[str, Any]:
    """Return what the numbers of a part depend on besides the code."""
    found = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "device": device.type,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        **{name: version(name) for name in ("torchvision", "numpy", "pyarrow", "opencv-python-headless")},
    }
    return found | (card(device) if device.type == "cuda" else {})


def card(device: torch.device) -> dict[str, Any]:
    """Return the GPU and the versions of its software."""
    properties: Any = torch.cuda.get_device_properties(device)
    cudnn: Any = torch.backends.cudnn
    return {
        "gpu": properties.name,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "multiprocessors": properties.multi_processor_count,
        "driver": next(iter(gpus("driver_version")), ""),
        "cuda": str(torch.version.cuda),
        "cudnn": str(cudnn.version()),
    }


def commit() -> str:
    """Return the commit of the source; empty where its history is absent."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        run = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return run.stdout.strip()
