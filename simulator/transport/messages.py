"""One request and one answer, as the handlers see them."""

import json
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl


@dataclass(slots=True)
class Request:
    """What a client sent. The path has no query string; header names are case-insensitive."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's text, empty when it is absent."""
        return str(self.headers.get(name, ""))

    @property
    def host(self) -> str:
        """Host name without the port, lower case."""
        return self.header("Host").rpartition("@")[2].split(":")[0].lower()

    def form(self) -> dict[str, str]:
        """Read the body as an HTML form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:
        """Read the body as JSON; ValueError when it is none."""
        return json.loads(self.body.decode("utf-8"))


@dataclass(slots=True)
class Response:
    """What goes back, and what it changed (for the journal)."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json;charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)
    effect: str = ""


class Refused(Exception):
    """A REST refusal as the platform words it: a JSON list with one errorCode and message."""

    def __init__(self, status: int, code: str, message: str, fields: list[str] | None = None):
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields


def as_json(value: Any, status: int = 200, effect: str = "") -> Response:
    """Answer with JSON."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status=status, body=body, effect=effect)


def refusal(refused: Refused) -> Response:
    """Answer with the platform's form of an error."""
    error: dict[str, Any] = {"message": refused.message, "errorCode": refused.code}
    if refused.fields is not None:
        error["fields"] = refused.fields
    return as_json([error], refused.status)


def expired_session() -> Refused:
    """Return the refusal of a request whose session is unknown or over."""
    return Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")


def not_found() -> Refused:
    """Return the refusal for an address that does not exist."""
    return Refused(404, "NOT_FOUND", "The requested resource does not exist")
