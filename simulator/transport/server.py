"""Threads, keep-alive and TLS: one thread per connection, the handshake inside that thread.

Nagle's algorithm is off and answers leave in one segment; otherwise each answer on a kept-alive
connection costs some 40 ms (delayed acknowledgement). The backlog fits clients that open a
hundred connections at once.
"""

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from simulator.transport.messages import Request, Response

BACKLOG = 512
IDLE_SECONDS = 120
POLL_SECONDS = 0.1
HANDSHAKE_SECONDS = 10
MAX_BODY = 128 * 1024 * 1024


class Drop(Exception):
    """Raised by an answerer that wants the connection broken after so many seconds."""

    def __init__(self, *, hold: float, reset: bool) -> None:
        super().__init__("the connection is to be broken")
        self.hold = hold
        self.reset = reset


Answerer = Callable[[Request], Response]


class Listener(socketserver.ThreadingTCPServer):
    """Listen on one loopback port and answer each request by one function."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = BACKLOG

    def __init__(self, port: int, answer: Answerer, context: ssl.SSLContext | None) -> None:
        self.answer = answer
        self._context = context
        self.stopping = threading.Event()
        super().__init__(("127.0.0.1", port), _Connection)

    @property
    def port(self) -> int:
        """The port that the system gave."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread of its own until stop()."""
        threading.Thread(
            target=self.serve_forever, args=(POLL_SECONDS,), name=f"listen-{self.port}", daemon=True
        ).start()

    def stop(self) -> None:
        """Stop listening; requests that are being held are dropped."""
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread, then serve it."""
        connection: socket.socket = request
        try:
            connection.settimeout(HANDSHAKE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
        except OSError:
            with contextlib.suppress(OSError):
                connection.close()
            return
        super().process_request_thread(connection, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close one connection; the peer may be gone already."""
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about peers that went away in the middle of a message."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener
    timeout = IDLE_SECONDS
    wbufsize = -1

    def log_message(self, *args: Any) -> None:
        """Write nothing: the journal has every request."""

    def _serve(self) -> None:
        try:
            body = self._read_body()
        except (ValueError, HTTPException, OSError):
            self.close_connection = True
            return
        target = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(target.path),
            query=dict(parse_qsl(target.query, keep_blank_values=True)),
            headers=self.headers,
            body=body,
        )
        try:
            response = self.server.answer(request)
        except Drop as drop:
            self._break(drop)
            return
        self._write(response)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Serve every method alike; http.server looks for do_GET, do_POST and so on."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._read_chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= MAX_BODY:
            raise ValueError(f"a body of {length} bytes is not read")
        body = self.rfile.read(length)
        if len(body) < length:
            raise ValueError("the client went away inside its body")
        return body

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline(100).split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline(10)
            if len(body) > MAX_BODY:
                raise ValueError("the chunks exceed the largest body that is read")
        while self.rfile.readline(1000).strip():
            continue
        return bytes(body)

    def _write(self, response: Response) -> None:
        self.send_response(response.status)
        if response.status != 204:
            self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def _break(self, drop: Drop) -> None:
        end = time.monotonic() + drop.hold
        while time.monotonic() < end and not self.server.stopping.is_set():
            self.server.stopping.wait(min(0.2, max(0.0, end - time.monotonic())))
        self.close_connection = True
        if drop.reset:
            # Lingering for zero seconds turns the close into a TCP reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # A detached TLS socket closes without a farewell, like a cut line.
        raw = socket.socket(fileno=self.connection.detach())
        raw.close()
