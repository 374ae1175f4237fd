"""The one HTTP session through which everything goes.

For each request: the host is checked against the allow-list, redirects are not followed, no proxy,
cookie or netrc of the machine is used, certificates are verified (listed hosts against their own
CA file), every phase has a time-out and the answer a size limit. An answer of status 300 or more
is raised as a fault, so a caller only ever sees success.
"""

from __future__ import annotations

import io
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter

from core.errors import ExternalFault, InvalidInput
from salesforce import faults
from salesforce.hosts import Address, Hosts
from salesforce.loopback import LoopbackAdapter, is_loopback_name

CONNECT_SECONDS = 10
READ_SECONDS = 60
ANSWER_SECONDS = 110
"""How long an org may think about an upload that it has received."""

SEND_SECONDS = 170
DOWNLOAD_SECONDS = 300

UPLOAD_SECONDS = 2 * CONNECT_SECONDS + SEND_SECONDS + ANSWER_SECONDS
"""Hard limit of an upload from connecting to the last byte of its answer: 300."""

MAX_ANSWER_BYTES = 96 * 1024 * 1024
"""A retrieve answers at most 39 MB of zip as base64 (52 MB) with its file properties."""

_CHUNK = 1 << 16


class UploadTooSlow(requests.exceptions.Timeout):
    """The upload passed its hard time limit."""


class TrackedBody(io.BytesIO):
    """A request body that knows whether any of it was handed to the network, and stops in time."""

    def __init__(self, content: bytes, seconds: float = SEND_SECONDS) -> None:
        super().__init__(content)
        self.started = False
        self._deadline = time.monotonic() + seconds

    def read(self, size: int | None = -1, /) -> bytes:
        """Hand out the next bytes. Raises UploadTooSlow after the time limit."""
        if time.monotonic() > self._deadline:
            raise UploadTooSlow
        self.started = True
        return super().read(size)


class Wire(requests.Session):
    """A session bound to an allow-list."""

    def __init__(self, hosts: Hosts) -> None:
        super().__init__()
        self._hosts = hosts
        self.trust_env = False
        self.headers["User-Agent"] = "Gatehouse"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._loopback = LoopbackAdapter()

    def get_adapter(self, url: str) -> BaseAdapter:
        """Choose the way to a host."""
        if is_loopback_name(urlsplit(url).hostname or ""):
            return self._loopback
        return super().get_adapter(url)

    def close(self) -> None:
        """Close every connection; the next call opens a new one."""
        super().close()
        self._loopback.close()

    def request(  # type: ignore[override]  # a subset of requests' parameters, on purpose
        self, method: str, url: str, **options: Any
    ) -> requests.Response:
        """Send, read the whole answer, return it. Raises ExternalFault."""
        address = self._address(url)
        body_seconds = options.pop("body_seconds", DOWNLOAD_SECONDS)
        options["allow_redirects"] = False
        options["stream"] = True
        options["verify"] = self._hosts.verify(address)
        options.setdefault("timeout", (CONNECT_SECONDS, READ_SECONDS))
        try:
            response = super().request(method, url, **options)
            _read_bounded(str(address), response, body_seconds)
        except (requests.exceptions.RequestException, OSError) as error:
            raise faults.of_transport(str(address), error) from None
        if response.status_code >= 300:
            raise faults.of_answer(str(address), response)
        return response

    def _address(self, url: str) -> Address:
        """Check the host of a whole URL, also of one that an answer named (nextRecordsUrl)."""
        parts = urlsplit(url)
        if parts.scheme != "https" or "@" in parts.netloc:
            raise faults.malformed(parts.netloc[:80], "an address that is not plain https")
        try:
            return self._hosts.require(parts.netloc)
        except InvalidInput as error:
            raise ExternalFault("org.host_not_allowed", error.message, retryable=False) from None


def _read_bounded(host: str, response: requests.Response, seconds: float) -> None:
    """Read the body into the response, at most so many bytes and so many seconds."""
    deadline = time.monotonic() + seconds
    parts: list[bytes] = []
    size = 0
    with response:
        for part in response.iter_content(_CHUNK):
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                raise ExternalFault(
                    "org.answer_too_large",
                    f"{host} answered with more than {MAX_ANSWER_BYTES >> 20} MB. "
                    "Ask for less at once.",
                    retryable=False,
                    host=host,
                )
            if time.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout
            parts.append(part)
    response._content = b"".join(parts)  # what requests itself fills when it is not streaming
