"""What a measured speed depends on besides the code: processor, GPU, driver, torch.

Tested in tests/stages/speed/test_stages.py.
"""

from __future__ import annotations

from pipeline.store.provenance import gpus, library_versions, machine

Hardware = dict[str, str]


def hardware(*, use_gpu: bool) -> Hardware:
    """Hardware of this process's machine; machines of the same make are equal. Does not import torch."""
    here = machine()
    parts = {"processor": here["processor"], "cores": str(here["cpus"]), "torch": library_versions().get("torch", "")}
    if use_gpu:
        driver = next(iter(gpus("driver_version")), "")
        parts |= {"gpu": ", ".join(sorted(set(here["gpus"]))) or "none", "driver": driver}
    return parts
