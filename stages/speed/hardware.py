"""What a measured speed depends on besides the code: processor, GPU, driver, torch."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

from pipeline.store.provenance import library_versions, machine

Hardware = dict[str, str]


def hardware(*, use_gpu: bool) -> Hardware:
    """Of the machine of this process, by name: two machines that are built alike are one. Imports no torch."""
    here = machine()
    found = {"processor": here["processor"], "cores": str(here["cpus"]), "torch": library_versions().get("torch", "")}
    if use_gpu:
        found |= {"gpu": ", ".join(sorted(set(here["gpus"]))) or "none", "driver": _driver()}
    return found


@cache
def _driver() -> str:
    """Version of NVIDIA's driver; empty where there is none."""
    if not shutil.which("nvidia-smi"):
        return ""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, timeout=20, check=True)
    except (subprocess.SubprocessError, OSError):
        return ""
    return done.stdout.decode(errors="replace").partition("\n")[0].strip()
