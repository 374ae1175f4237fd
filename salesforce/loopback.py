"""Names below ``.localhost`` lead to this machine, without asking a name server (RFC 6761 6.3).

Many systems resolve ``localhost`` but not ``northwind.localhost``; the certificate, the TLS server
name and the Host header still carry the whole name.
"""

from __future__ import annotations

import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

LOOPBACK = "127.0.0.1"


def is_loopback_name(host: str) -> bool:
    """Say whether a name is reserved for this machine."""
    return host.lower().rstrip(".").endswith(".localhost")


class _Connection(HTTPSConnection):
    """Connects to this machine, whatever its name below ``.localhost``."""

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        self._dns_host = LOOPBACK
        try:
            return super()._new_conn()
        finally:
            self._dns_host = name


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class LoopbackAdapter(HTTPAdapter):
    """The adapter for names below ``.localhost``."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the connections of this adapter go to this machine."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}
