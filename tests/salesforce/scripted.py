"""An HTTPS server that answers exactly what a test scripts, and remembers what it was sent.

For faults that no well-behaved org shows: redirects, web pages, broken connections, lies.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ORG_ID = "00D000000000001EAA"
USER_ID = "005000000000001AAA"


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    peer: int


@dataclass(frozen=True)
class Answer:
    """What the server says; ``cut`` breaks the connection after reading the request instead."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    wait: float = 0


def json_answer(content: object, status: int = 200) -> Answer:
    """Answer JSON."""
    return Answer(status, json.dumps(content).encode())


def error(code: str, message: str = "said so", status: int = 400) -> Answer:
    """Answer an error as the REST API writes it."""
    return json_answer([{"errorCode": code, "message": message}], status)


def page(status: int = 200) -> Answer:
    """Answer a web page."""
    return Answer(status, b"<!DOCTYPE html><html><body>Maintenance</body></html>", "text/html")


def soap(body: str, status: int = 200) -> Answer:
    """Answer a SOAP envelope around a body."""
    text = (
        '<?xml version="1.0"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns="http://soap.sforce.com/2006/04/metadata">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    return Answer(status, text.encode(), "text/xml; charset=UTF-8")


class Scripted:
    """The server: answers are taken from per-path queues, the last one repeats."""

    def __init__(self, port: int, ca_file: str) -> None:
        self.port = port
        self.ca_file = ca_file
        self.host = f"org.localhost:{port}"
        self.calls: list[Call] = []
        self._answers: dict[tuple[str, str], list[Answer]] = {}

    @property
    def url(self) -> str:
        """The server's origin."""
        return f"https://{self.host}"

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Script the answers of a path, in order; the last one is repeated."""
        self._answers[method, path] = list(answers)

    def token(self, **changes: object) -> Answer:
        """Return the answer of the token endpoint for this org."""
        return json_answer(
            {
                "access_token": "00D!token",
                "instance_url": self.url,
                "id": f"https://login.salesforce.com/id/{ORG_ID}/{USER_ID}",
                "token_type": "Bearer",
                **changes,
            }
        )

    def answer(self, call: Call) -> Answer:
        """Take the next answer for a request."""
        self.calls.append(call)
        queue = self._answers.get((call.method, call.path))
        if not queue:
            return error("NOT_FOUND", f"nothing scripted for {call.method} {call.path}", 404)
        return queue.pop(0) if len(queue) > 1 else queue[0]

    def paths(self) -> list[str]:
        """Return what was asked for, in order."""
        return [f"{call.method} {call.path}" for call in self.calls]


def _handler(answer: Callable[[Call], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            peer = self.client_address[1]
            said = answer(Call(self.command, parts.path, parts.query, headers, body, peer))
            time.sleep(said.wait)
            if said.cut:
                # RST instead of an orderly end: the answer is lost, as with a dead gateway.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(said.status)
            self.send_header("Content-Type", said.content_type)
            self.send_header("Content-Length", str(len(said.body)))
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST = do_PATCH = do_DELETE = _any  # noqa: N815  # names of http.server

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are what these tests are about."""


@contextlib.contextmanager
def serve(directory: Path) -> Iterator[Scripted]:
    """Run a scripted server on a free port with its own certificate."""
    certificate, key = certify(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    holder: list[Scripted] = []
    server = _Server(("127.0.0.1", 0), _handler(lambda call: holder[0].answer(call)))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    holder.append(Scripted(server.server_address[1], str(certificate)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield holder[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certify(directory: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for names below localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "scripted")])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [
        x509.DNSName("org.localhost"),
        x509.DNSName("other.localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = directory / "scripted.pem", directory / "scripted.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file
