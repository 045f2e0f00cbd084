"""Conditions under which a result was computed: commit, libraries, machine. Recorded, but not part of a key."""

from __future__ import annotations

import getpass
import hashlib
import os
import platform
import shutil
import socket
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = (
    "hotcoco", "mlflow", "numpy", "opencv-python-headless", "pyarrow", "pycocotools", "ray", "torch", "torchvision",
)  # fmt: skip


@cache
def library_versions() -> dict[str, str]:
    """Versions of installed libraries whose arithmetic or format may affect a result; nothing is imported."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def machine() -> dict[str, Any]:
    """Description of the machine that this process runs on."""
    return {
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count() or 1,
        "gpus": list(gpus("name")),
        "python": platform.python_version(),
    }


@cache
def gpus(fact: str) -> tuple[str, ...]:
    """One property of each GPU of this machine, as named by `nvidia-smi --help-query-gpu`; empty without a driver."""
    return tuple(gpu_lines(fact))


def gpu_lines(facts: str) -> list[str]:
    """Current values of comma-separated properties, a line for each GPU; empty without a driver."""
    return _lines("nvidia-smi", f"--query-gpu={facts}", "--format=csv,noheader")


def topology() -> tuple[str, ...]:
    """How GPUs and network cards of this machine are connected, as drawn by `nvidia-smi`; empty without a driver."""
    return tuple(_lines("nvidia-smi", "topo", "-m"))


def user() -> str:
    """Name of the current user; `unknown` in a container without an entry for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@cache
def git() -> dict[str, Any]:
    """Commit of the project, whether files differ from it, and a digest of the diff; empty outside a repository."""
    here = str(Path(__file__).parent)
    commit = _lines("git", "-C", here, "rev-parse", "HEAD")
    if not commit:
        return {}
    difference = "\n".join(_lines("git", "-C", here, "diff", "HEAD"))
    return {
        "commit": commit[0],
        "dirty": bool(difference),
        "difference": hashlib.sha256(difference.encode()).hexdigest()[:16] if difference else "",
    }


def run_provenance() -> dict[str, Any]:
    """Provenance that the driver determines and passes on to its workers."""
    return {"argv": sys.argv, "git": git(), "libraries": library_versions()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _lines(program: str, *arguments: str) -> list[str]:
    """Output of a program as lines; empty when it is absent or fails."""
    if not shutil.which(program):
        return []
    try:
        done = subprocess.run([program, *arguments], capture_output=True, timeout=20, check=True)
    except (subprocess.SubprocessError, OSError):
        return []
    return done.stdout.decode(errors="replace").strip().splitlines()
