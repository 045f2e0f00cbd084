"""Asks within seconds whether a Ray cluster answers at an address; Ray itself waits for minutes.

First the port, because the system's own error names the cause, then the cluster's control service (GCS) by the call
with which Ray joins; at first without a token, since a cluster that requires none is open to everybody. Behind TLS and
at `ray://` only the port is asked; other schemes are left to Ray.

Tested in tests/experiments/cli/test_surroundings.py.
"""

from __future__ import annotations

import os
import socket
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import PipelineError
from pipeline.ray_backend.token_file import token, token_mode
from pipeline.terminal import warn

ANSWER_SECONDS = 5.0
JOINING_CALL = "/ray.rpc.NodeInfoGcsService/GetClusterId"
START_OR_UNSET = "Start one (`ray start --head`) or unset RAY_ADDRESS to run on this machine."


def check_cluster(address: str) -> None:
    """Raise PipelineError when no Ray cluster answers at `address`, a value of `RAY_ADDRESS`."""
    scheme, separator, rest = address.rpartition("://")
    if address == "local" or scheme not in ("", "ray"):
        return
    host, port = _host_and_port(_latest() if address == "auto" else rest, address)
    _ask_port(host, port, address)
    if not separator and os.environ.get("RAY_USE_TLS", "0") in ("", "0"):
        _ask_control_service(host, port, address)


def absent(address: str, reason: str) -> PipelineError:
    """The error for an address at which there is no cluster."""
    return PipelineError(f"no Ray cluster answers at RAY_ADDRESS={address}: {reason}\n{START_OR_UNSET}")


def refused(address: str, reason: str) -> PipelineError:
    """The error for a cluster that requires a token which this process does not send."""
    return PipelineError(
        f"the Ray cluster at RAY_ADDRESS={address} refused this process: {reason}\n"
        "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH (by default ~/.ray/auth_token) to the "
        "cluster's token, which `ray get-auth-token` prints there; or start it with RAY_AUTH_MODE=disabled."
    )


def _host_and_port(place: str, address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{place}")
        if parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise PipelineError(
        f"RAY_ADDRESS={address} is no address: expected HOST:PORT, such as 10.0.0.1:6379 or [::1]:6379, "
        "ray://HOST:PORT or auto; unset RAY_ADDRESS to run on this machine."
    )


def _latest() -> str:
    """Address of the cluster that `auto` stands for, by Ray's own rules."""
    from ray._private.services import canonicalize_bootstrap_address

    try:
        return str(canonicalize_bootstrap_address("auto"))
    except ConnectionError:
        raise absent("auto", "no Ray runs on this machine.") from None


def _ask_port(host: str, port: int, address: str) -> None:
    try:
        socket.create_connection((host, port), ANSWER_SECONDS).close()
    except TimeoutError:
        raise absent(address, f"port {port} of {host} did not answer in {ANSWER_SECONDS:g} s.") from None
    except OSError as error:
        raise absent(address, f"{error.strerror or error}.") from error


def _ask_control_service(host: str, port: int, address: str) -> None:
    import grpc

    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with grpc.insecure_channel(place, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            if _accepts(channel, ""):
                _warn_of_open(address)
            elif not token_mode():
                raise refused(address, f"it requires a token, and with RAY_AUTH_MODE={_mode()} none is sent.")
            elif not (sent := token()):
                raise refused(address, "it requires a token, and there is none here.")
            elif not _accepts(channel, sent):
                raise refused(address, "it requires a token, and the one that is set here differs.")
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise absent(address, f"port {port} is open but silent for {ANSWER_SECONDS:g} s.") from None
            raise absent(address, f"what listens at port {port} is not Ray ({error.code().name}).") from None


def _accepts(channel: Any, token: str) -> bool:
    """Whether the cluster accepts the token, or a caller without any. Raises grpc.RpcError when it does not answer."""
    import grpc

    header = [("authorization", f"Bearer {token}")] if token else []
    try:
        channel.unary_unary(JOINING_CALL)(b"", timeout=ANSWER_SECONDS, metadata=header)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            return False
        raise
    return True


def _mode() -> str:
    return os.environ.get("RAY_AUTH_MODE") or "(unset)"


def _warn_of_open(address: str) -> None:
    """Warn unless the user has chosen a cluster without a token."""
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "disabled":
        warn(
            f"the Ray cluster at RAY_ADDRESS={address} requires no token: whoever reaches its ports runs code on it. "
            "Ray from 2.52 on requires one if each node sets RAY_AUTH_MODE=token, 2.60 by default; "
            "RAY_AUTH_MODE=disabled hides this warning"
        )
