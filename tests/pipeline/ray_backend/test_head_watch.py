"""Ports that stop answering, with a clock of the test."""

from __future__ import annotations

import socket

import pytest

from pipeline.errors import ClusterLost
from pipeline.ray_backend.head_watch import HeadWatch


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def listening() -> tuple[socket.socket, str]:
    server = socket.create_server(("127.0.0.1", 0))
    return server, f"127.0.0.1:{server.getsockname()[1]}"


def test_a_port_that_refuses_for_four_seconds_is_gone() -> None:
    server, address = listening()
    clock = Clock()
    watch = HeadWatch(clock=clock)
    watch.watch("Ray's head", address)
    watch.check()
    server.close()
    clock.now = 2.0
    watch.check()
    clock.now = 4.0
    with pytest.raises(ClusterLost, match=rf"Ray's head at {address} has not answered for 4 s \(Connection refused\)"):
        watch.check()
    with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))), pytest.raises(ClusterLost):
        watch.check()  # the run has begun to end


def test_a_port_that_comes_back_is_not() -> None:
    server, address = listening()
    clock = Clock()
    watch = HeadWatch(clock=clock)
    watch.watch("Ray's head", address)
    server.close()
    clock.now = 3.0
    watch.check()
    with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))):
        clock.now = 5.0
        watch.check()
    clock.now = 8.0
    watch.check()


def test_an_address_that_never_answered_is_not_watched() -> None:
    server, address = listening()
    server.close()
    clock = Clock()
    watch = HeadWatch(clock=clock)
    watch.watch("Ray's head", address)
    watch.watch("Ray's head", "ray-client-without-a-port")
    clock.now = 1000.0
    watch.check()
