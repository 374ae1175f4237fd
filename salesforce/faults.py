"""Every way in which an org can fail a call, as one error with a code and a sentence.

Retryable means: the same call may be made again and the fault may be gone (the network, a 503, a
row lock). It says nothing about whether repeating is *safe*: calls with an effect are never
repeated, see ``salesforce.client``.

REST errors are a JSON list of ``{"errorCode", "message"}`` (docs page errorcodes.htm), SOAP faults
are HTTP 500 with ``faultcode`` ``sf:CODE``; a web page instead of either is a login or maintenance
page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import requests

from core.errors import ExternalFault, FaultUnknown
from salesforce import xml

BUSY_CODES = frozenset(
    {
        "ALREADY_IN_PROCESS",
        "SERVER_UNAVAILABLE",
        "UNABLE_TO_LOCK_RECORD",
        "UNABLE_TO_LOCK_ROW",
    }
)
LIMIT_CODES = frozenset({"REQUEST_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "TOO_MANY_JOBS"})
FORBIDDEN_CODES = frozenset(
    {
        "API_CURRENTLY_DISABLED",
        "API_DISABLED_FOR_ORG",
        "FUNCTIONALITY_NOT_ENABLED",
        "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_OR_READONLY",
    }
)
VERSION_CODES = frozenset({"GONE", "UNSUPPORTED_API_VERSION"})
GATEWAY_STATUSES = frozenset({500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the org said: its own error code (may be empty) and text."""

    status: int
    code: str
    text: str
    is_html: bool


def refusal(response: requests.Response) -> Refusal:
    """Read an error answer of any of the platform's endpoints, without trusting its form."""
    body = response.content
    kind = response.headers.get("Content-Type", "").lower()
    if "json" in kind:
        code, text = _from_json(body)
    elif "xml" in kind:
        code, text = _from_soap(body)
    else:
        code, text = "", ""
    is_html = "html" in kind or body.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))
    return Refusal(response.status_code, code, text[:1000], is_html)


def _from_json(body: bytes) -> tuple[str, str]:
    try:
        answer = json.loads(body)
    except ValueError:
        return "", ""
    first = answer[0] if isinstance(answer, list) and answer else answer
    if not isinstance(first, dict):
        return "", ""
    code = first.get("errorCode") or first.get("error") or ""
    text = first.get("message") or first.get("error_description") or ""
    return str(code), str(text)


def _from_soap(body: bytes) -> tuple[str, str]:
    try:
        root = xml.parse(body)
    except ExternalFault:
        return "", ""
    fault = xml.find(root, "Fault")
    if fault is None:
        return "", ""
    code = xml.text(fault, "faultcode").rpartition(":")[2]
    words = xml.text(fault, "faultstring")
    return code, words.removeprefix(f"{code}:").strip()


def of_answer(host: str, response: requests.Response) -> ExternalFault:
    """Return the fault for an answer of status 300 or more."""
    said = refusal(response)
    if 300 <= said.status < 400:
        return ExternalFault(
            "org.redirected",
            f"{host} answered with a redirect, which Gatehouse does not follow. "
            "Enter the org's own My Domain address.",
            retryable=False,
            host=host,
        )
    if said.code == "INVALID_SESSION_ID" or (said.status == 401 and not said.is_html):
        return ExternalFault(
            "org.session_expired",
            f"{host} no longer accepts the session: {said.text or 'it has expired'}.",
            retryable=False,
            host=host,
        )
    return _coded(host, said) or _uncoded(host, said)


def _coded(host: str, said: Refusal) -> ExternalFault | None:
    words = said.text.rstrip(".")
    facts = {"host": host, "error_code": said.code, "http_status": said.status}
    if said.code in LIMIT_CODES:
        return ExternalFault(
            "org.limit",
            f"{host} has reached a limit: {words or said.code}. "
            "Wait until the org has capacity again, or raise its limit.",
            retryable="concurrent" in words.lower(),
            **facts,
        )
    if said.code in BUSY_CODES:
        return ExternalFault(
            "org.busy", f"{host} is busy: {words or said.code}. Try again.", retryable=True, **facts
        )
    if said.code in FORBIDDEN_CODES:
        return ExternalFault(
            "org.forbidden",
            f"{host} does not allow this to Gatehouse's user: {words or said.code}. "
            "Check the integration user's permissions.",
            retryable=False,
            **facts,
        )
    if said.code in VERSION_CODES:
        return ExternalFault(
            "org.version_gone",
            f"{host} does not offer this API version: {words or said.code}. "
            "Change the environment's API version.",
            retryable=False,
            **facts,
        )
    if said.code and said.status not in GATEWAY_STATUSES:
        return ExternalFault(
            "org.refused",
            f"{host} refused the call: {words or said.code} ({said.code}).",
            retryable=False,
            error_text=said.text,
            **facts,
        )
    return None


def _uncoded(host: str, said: Refusal) -> ExternalFault:
    transient = said.status in GATEWAY_STATUSES or said.status in (420, 429)
    facts = {"host": host, "error_code": said.code, "http_status": said.status}
    if said.is_html:
        return ExternalFault(
            "org.html_answer",
            f"{host} answered with a web page (HTTP {said.status}) instead of data: "
            "the org is in maintenance, or the address is not that of an org.",
            retryable=transient,
            **facts,
        )
    words = f": {said.text.rstrip('.')}" if said.text else ""
    return ExternalFault(
        "org.server_error" if transient else "org.refused",
        f"{host} answered with HTTP {said.status}{words}.",
        retryable=transient,
        **facts,
    )


def of_transport(host: str, error: Exception) -> ExternalFault:
    """Return the fault for a call that got no (whole) answer."""
    if isinstance(error, requests.exceptions.SSLError):
        return ExternalFault(
            "org.certificate",
            f"The certificate of {host} is not trusted, so nothing was sent. "
            "Check the address and the host's certificate authority.",
            retryable=False,
            host=host,
        )
    if isinstance(error, requests.exceptions.ConnectTimeout):
        words = "it did not answer in time"
    elif isinstance(error, requests.exceptions.Timeout):
        return ExternalFault(
            "org.timeout",
            f"{host} took longer to answer than Gatehouse waits. Try again.",
            retryable=True,
            host=host,
        )
    elif "NameResolution" in repr(error):
        words = "the name is not known"
    elif "refused" in repr(error).lower():
        words = "it refuses connections"
    else:
        words = "the connection broke"
    return ExternalFault(
        "org.unreachable",
        f"{host} cannot be reached: {words}. Check the address and the network.",
        retryable=True,
        host=host,
    )


def malformed(host: str, what: str) -> ExternalFault:
    """Return the fault for an answer that is not what the platform documents."""
    return ExternalFault(
        "org.answer_malformed",
        f"{host} gave an answer that Gatehouse does not understand ({what}). "
        "Check that the address is that of a Salesforce org.",
        retryable=False,
        host=host,
    )


def unknown_outcome(cause: ExternalFault, what: str) -> FaultUnknown:
    """Return the fault for a call with an effect that may or may not have happened."""
    return FaultUnknown(
        "org.outcome_unknown",
        f"It is not known whether the org took {what}. {cause.message} "
        "Gatehouse does not send it again by itself.",
        retryable=False,
        cause=cause.code,
    )


def of_login(host: str, error: str, description: str) -> ExternalFault:
    """Return the fault for a refused token request (RFC 6749 5.2 ``error``)."""
    words = description.rstrip(".") or error
    hint = next((hint for part, hint in _LOGIN_HINTS if part in f"{error} {words}".lower()), "")
    return ExternalFault(
        "org.refused_login",
        f"{host} refused the sign-in: {words}. {hint or 'Check the credential.'}",
        retryable=False,
        host=host,
        error=error,
    )


_LOGIN_HINTS = (
    (
        "hasn't approved this consumer",
        "Pre-authorise the app for the user's profile or permission set.",
    ),
    ("audience", "Use the login host that belongs to this org."),
    ("client identifier", "The consumer key is not known there; a new app takes some minutes."),
    ("invalid_client_id", "The consumer key is not known there; a new app takes some minutes."),
    ("invalid_client", "The consumer key or secret is wrong."),
    ("invalid client credentials", "The consumer key or secret is wrong."),
    ("invalid assertion", "The private key does not belong to the certificate of the app."),
    ("signature", "The private key does not belong to the certificate of the app."),
    ("inactive organization", "The sandbox was refreshed or deleted; connect it anew."),
    ("inactive user", "Activate the integration user."),
    ("not supported on this domain", "Client credentials need the org's My Domain address."),
    ("no client credentials user", "Set the “run as” user in the app's policies."),
)
