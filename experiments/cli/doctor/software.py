"""Python, the packages that ssdpipe requires, and what they compute on.

Tested in tests/experiments/cli/test_doctor.py.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, requires, version

from experiments.cli.doctor.finding import Finding

LEAST_MEMORY = 4e9
"""Bytes that are free before a training of the paper's network on one GPU starts to swap."""

LEAST_SHARED = 1e9
"""Bytes of shared memory that the processes which load images may fill."""


def python() -> Finding:
    here = (
        f"ssdpipe {_version('ssdpipe') or 'from its source'}, Python {platform.python_version()}, {platform.machine()}"
    )
    return Finding(
        name="version", text=here, facts={"ssdpipe": _version("ssdpipe"), "python": platform.python_version()}
    )


def packages(required: list[str] | None = None) -> Finding:
    """Requirements of the installed ssdpipe, extras excluded, beside the installed versions."""
    from packaging.requirements import Requirement

    wanted = [Requirement(line) for line in (_requirements() if required is None else required)]
    wanted = [each for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    there = {each.name: _version(each.name) for each in wanted}
    facts = {"packages": there}
    bad = [
        f"{each.name} {found or 'is absent'}" + (f", not {each.specifier}" if found else "")
        for each in wanted
        if not (found := there[each.name]) or not each.specifier.contains(found, prereleases=True)
    ]
    if bad:
        remedy = "pip install " + " ".join(
            f"'{each.name}{each.specifier}'" for each in wanted if _is_in(each.name, bad)
        )
        return Finding(name="packages", state="problem", text="; ".join(bad), remedy=remedy, facts=facts)
    main = ", ".join(f"{name} {there[name]}" for name in ("torch", "torchvision", "ray", "mlflow") if there.get(name))
    return Finding(name="packages", text=f"all {len(wanted)} as required: {main}", facts=facts)


def gpus() -> Finding:
    """GPUs of the driver, and whether torch computes on them."""
    import torch

    from pipeline.store.provenance import gpus as listed

    names, drivers = listed("name"), listed("driver_version")
    usable = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    facts = {"listed": list(names), "usable": usable, "cuda": torch.version.cuda, "driver": list(drivers)}
    if not names and not usable:
        remedy = "Trainings run on the CPU: choose ssd200-narrow, or --preset tiny"
        return Finding(name="GPU", state="note", text="none", remedy=remedy, facts=facts)
    if usable:
        torch.ones(2, device="cuda").sum().item()  # CUDA itself answers, not the list of devices
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        driver = drivers[0] if drivers else "unknown"
        text = f"{len(usable)} x {usable[0]}, {memory:.0f} GiB; CUDA {torch.version.cuda}, driver {driver}"
        return Finding(name="GPU", text=text, facts=facts)
    return Finding(
        name="GPU", state="problem", text=f"torch cannot use {', '.join(names)}", remedy=_why_unusable(), facts=facts
    )


def machine() -> Finding:
    """CPUs, memory, and the shared memory through which loaded images pass."""
    import psutil

    free = psutil.virtual_memory().available
    facts = {"cpus": os.cpu_count(), "memory_free": free}
    text = f"{os.cpu_count()} CPUs, {free / 1e9:.1f} GB of memory"
    if os.path.isdir("/dev/shm"):  # noqa: PTH112 (a place of the system)
        facts["shared_memory_free"] = shared = psutil.disk_usage("/dev/shm").free
        text += f" and {shared / 1e9:.1f} GB of shared memory"
        if shared < LEAST_SHARED:
            remedy = "In a container, start it with --shm-size=2g: processes that load images fill /dev/shm"
            return Finding(name="machine", state="problem", text=f"{text} free", remedy=remedy, facts=facts)
    if free < LEAST_MEMORY:
        remedy = "Close other programs, or train with a smaller -s batch_size"
        return Finding(name="machine", state="note", text=f"{text} free", remedy=remedy, facts=facts)
    return Finding(name="machine", text=f"{text} free", facts=facts)


def coco_tool() -> Finding:
    """The faster of the two programs that compute COCO's numbers."""
    found = _version("hotcoco")
    if found:
        return Finding(name="COCO", text=f"numbers are computed by hotcoco {found}", facts={"hotcoco": found})
    return Finding(
        name="COCO",
        state="note",
        text="numbers are computed by pycocotools",
        remedy="pip install 'ssdpipe[fast-coco]' computes the same digits faster",
        facts={"hotcoco": None},
    )


def _requirements() -> list[str]:
    try:
        return requires("ssdpipe") or []
    except PackageNotFoundError:
        return []


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _is_in(name: str, texts: list[str]) -> bool:
    return any(text.startswith(f"{name} ") for text in texts)


def _why_unusable() -> str:
    import torch

    if torch.version.cuda is None:
        return f"torch {torch.__version__} is built for the CPU: install its build for CUDA, see https://pytorch.org"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides them: unset it"
    return f"torch is built for CUDA {torch.version.cuda}: update the driver, or install a build for an earlier CUDA"
