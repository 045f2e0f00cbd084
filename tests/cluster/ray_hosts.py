"""Ray with token authentication on several hosts, and commands of ssdpipe on them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.hosts import AGENTS, PORT, Host, until

PROGRAMS = Path(sys.executable).parent
OBJECT_STORE = 150 * 2**20


@dataclass
class RayHosts:
    """The first host is the head; each offers one CPU."""

    hosts: list[Host]
    folder: Path

    def __post_init__(self) -> None:
        token = self.folder / "token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(32))
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_USAGE_STATS_ENABLED": "0",
            "OMP_NUM_THREADS": "1",
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        }
        for host in self.hosts:
            self.join(host)

    @property
    def address(self) -> str:
        return f"{self.hosts[0].address}:{PORT}"

    def join(self, host: Host) -> None:
        """Start Ray on a host."""
        head = ["--head", f"--port={PORT}", "--dashboard-host=0.0.0.0"]
        role = head if host is self.hosts[0] else [f"--address={self.address}"]
        ports = [f"--{name}-port={port}" for name, port in AGENTS.items()]
        own = [f"--node-ip-address={host.address}", "--num-cpus=1", f"--object-store-memory={OBJECT_STORE}"]
        log = self.folder / f"{host.name}.log"
        started = host.start("ray", "start", *role, *own, *ports, log=log, environment=self.environment)
        assert started.wait(90) == 0, log.read_text(encoding="utf-8")

    def command(self, store: Path, log: Path, *command: str) -> subprocess.Popen[bytes]:
        """Start a command on the head, as a user does who has set RAY_ADDRESS and SSDPIPE_STORE."""
        own = {"RAY_ADDRESS": self.address, "SSDPIPE_STORE": str(store)}
        return self.hosts[0].start(*command, log=log, environment={**self.environment, **own})


def finish(process: subprocess.Popen[bytes], log: Path, seconds: float = 600) -> str:
    """Wait for a command to succeed; its output."""
    until(lambda: process.poll() is not None, f"the command of {log.name}", seconds)
    assert process.returncode == 0, log.read_text(encoding="utf-8")
    return log.read_text(encoding="utf-8")


def committed(store: Path, kind: str) -> dict[str, Any]:
    """The manifest of the only result of a kind of stage."""
    manifests = [json.loads(path.read_text()) for path in (store / "keys").glob("*.json")]
    (found,) = (item for item in manifests if item["address"].split("/")[0] == kind)
    return dict(found)
