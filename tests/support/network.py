"""Tests reach this machine and nothing else."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

_connect = socket.socket.connect


class NetworkRefused(RuntimeError):
    """A test tried to leave this machine."""


def is_local(host: str) -> bool:
    """Tell whether the host is this machine; names other than localhost are not looked up."""
    if host in {"", "localhost"} or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _guarded(self: socket.socket, address: Any) -> None:
    over_ip = self.family in (socket.AF_INET, socket.AF_INET6)
    if over_ip and self.type == socket.SOCK_STREAM and not is_local(str(address[0])):
        raise NetworkRefused(f"tests reach only this machine, not {address[0]}")
    _connect(self, address)


def guard() -> None:
    """Refuse every TCP connection of this process that leaves the machine."""
    socket.socket.connect = _guarded  # type: ignore[method-assign, assignment]
