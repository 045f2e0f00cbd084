"""How the workers of a training reach each other: the network interface, and NCCL or gloo.

The interface is that of the node's Ray address, over which the nodes are known to reach each other. Left alone, gloo
takes the address of the host's name, which Debian maps to the loopback, so that no two hosts connect.
Where no worker sees a GPU, GPUs were only declared to Ray, as tests of a cluster do: gloo then, and the CPU.

Tested in tests/stages/training/test_process_group.py.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import Any

import psutil
import ray
import torch
from ray.train.torch import TorchConfig
from ray.train.torch.config import _TorchBackend

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from stages.training.elastic.pause import pause_on_sigterm

_log = logging.getLogger(__name__)


@dataclass
class ProcessGroup(TorchConfig):  # type: ignore[misc]
    """Connects the workers once they run; `backend` is chosen there."""

    use_gpu: bool = False
    work: Folder = field(default_factory=lambda: Folder(""))
    """Where a worker requests a pause."""

    @property
    def backend_cls(self) -> type[_TorchBackend]:
        return _Backend


class _Backend(_TorchBackend):  # type: ignore[misc]
    def on_start(self, worker_group: Any, backend_config: ProcessGroup) -> None:
        seen = worker_group.execute(_prepare, backend_config.work)
        backend_config.backend = _backend(seen) if backend_config.use_gpu else "gloo"
        super().on_start(worker_group, backend_config)


def _prepare(work: Folder) -> bool:
    """Choose the interface of this worker and heed SIGTERM; return whether it sees a GPU."""
    pause_on_sigterm(work)
    if name := interface_of(ray.util.get_node_ip_address()):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", name)
        os.environ.setdefault("NCCL_SOCKET_IFNAME", name)
    return torch.cuda.is_available()


def interface_of(address: str) -> str:
    """Name of the network interface with an address; empty if there is none, as behind a NAT."""
    interfaces = psutil.net_if_addrs().items()
    return next((name for name, entries in interfaces if any(entry.address == address for entry in entries)), "")


def _backend(sees_gpu: list[bool]) -> str:
    """Raise PipelineError when only some workers see a GPU."""
    if all(sees_gpu):
        return "nccl"
    if any(sees_gpu):
        raise PipelineError(
            f"{sees_gpu.count(False)} of {len(sees_gpu)} workers see no GPU, although their nodes declare some: check "
            "`nvidia-smi` and `python -c 'import torch; print(torch.cuda.is_available())'` on each node"
        )
    _log.warning("no worker sees a GPU, although their nodes declare some: training on the CPU")
    return "gloo"
