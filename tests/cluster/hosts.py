"""Hosts on one machine: namespaces of Linux on one bridge.

Each has its own address, name, processes, /tmp/ray and /dev/shm. They share the disk, which is then the store that a
cluster shares, and the code. Needs root, iproute2 and util-linux.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

NETWORK = "10.79.0"
TOOLS = ("ip", "unshare", "nsenter", "mount")
PORT = 6379
AGENTS = {
    "dashboard-agent-grpc": 20001,
    "runtime-env-agent": 20002,
    "metrics-export": 20003,
    "dashboard-agent-listen": 20004,
}
"""Fixed ports: without them a raylet asks its agents, and gives up after 15 s on a slow machine."""

BOOT = """
hostname {name}
mount --make-rprivate /
mount -t tmpfs -o size=2g tmpfs /dev/shm
mkdir -p /tmp/ray
mount --bind {own}/ray /tmp/ray
mount --bind {own}/hosts /etc/hosts
touch {own}/up
while :; do sleep 1; done
"""


def why_impossible() -> str:
    """The reason why hosts cannot be made here; empty if they can."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"{', '.join(missing)} is not installed"
    trial = subprocess.run(["unshare", "--net", "--pid", "--mount", "--fork", "true"], capture_output=True, text=True)
    return trial.stderr.strip()


@dataclass
class Host:
    """One host; its processes end with its first one."""

    name: str
    address: str
    network: str
    link: str
    own: Path
    first: subprocess.Popen[bytes] | None = None

    def boot(self) -> None:
        (self.own / "ray").mkdir(parents=True, exist_ok=True)
        (self.own / "up").unlink(missing_ok=True)
        apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--mount-proc"]
        script = BOOT.format(name=self.name, own=self.own)
        self.first = subprocess.Popen(["ip", "netns", "exec", self.network, *apart, "bash", "-ec", script])
        until((self.own / "up").exists, f"{self.name} to boot", 20)

    def start(self, *command: str, log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a command on the host, in the folder of its log, to which its output goes."""
        place = ["--all", f"--wd={log.parent}"]
        inside = ["nsenter", "--target", str(self._pid()), *place, "--", *command]
        with log.open("ab") as stream:
            return subprocess.Popen(inside, env={**os.environ, **environment}, stdout=stream, stderr=stream)

    def power_off(self) -> None:
        """Kill all processes of the host at once."""
        assert self.first is not None
        os.kill(self._pid(), signal.SIGKILL)
        self.first.wait(20)

    def cut(self) -> None:
        """Take its network link down."""
        _ip("link", "set", self.link, "down")

    def _pid(self) -> int:
        """The first process in the host's namespaces: the child of `unshare`, which `ip netns exec` becomes."""
        assert self.first is not None
        children = Path(f"/proc/{self.first.pid}/task/{self.first.pid}/children").read_text(encoding="utf-8").split()
        return int(children[0])


@dataclass
class Hosts:
    """`with Hosts(3, folder) as hosts:` makes three of them and removes them at the end."""

    count: int
    folder: Path
    bridge: str = field(default_factory=lambda: f"sp{secrets.token_hex(3)}")
    hosts: list[Host] = field(default_factory=list)

    def __enter__(self) -> list[Host]:
        _ip("link", "add", self.bridge, "type", "bridge")
        _ip("addr", "add", f"{NETWORK}.1/24", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")
        try:
            for number in range(1, self.count + 1):
                self.hosts.append(self._host(number))
            names = "".join(f"{host.address} {host.name}\n" for host in self.hosts)
            for host in self.hosts:
                host.own.mkdir(parents=True)
                (host.own / "hosts").write_text(f"127.0.0.1 localhost\n{names}")
                host.boot()
        except BaseException:
            self.__exit__()
            raise
        return self.hosts

    def __exit__(self, *_: object) -> None:
        for host in self.hosts:
            if host.first is not None and host.first.poll() is None:
                host.power_off()
            _ip("netns", "del", host.network)
        _ip("link", "del", self.bridge)

    def _host(self, number: int) -> Host:
        host = Host(
            name=f"h{number}",
            address=f"{NETWORK}.{10 + number}",
            network=f"{self.bridge}-h{number}",
            link=f"{self.bridge}v{number}",
            own=self.folder / f"h{number}",
        )
        _ip("netns", "add", host.network)
        _ip("link", "add", host.link, "type", "veth", "peer", "name", "eth0", "netns", host.network)
        _ip("link", "set", host.link, "master", self.bridge, "up")
        _ip("-n", host.network, "addr", "add", f"{host.address}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _ip("-n", host.network, "link", "set", link, "up")
        return host


def until(done: Callable[[], bool], what: str, seconds: float) -> None:
    """Wait for a condition; AssertionError when it does not come true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():
            return
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
