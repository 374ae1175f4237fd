"""Every refusal of the product: a stable dotted code and one sentence for people.

The sentence says what happened, why, and what to do. Codes never change once released, because
pages, tests and other systems recognise a refusal by them. The class says who must act: the
person lacks the right (NotAllowed), comes at the wrong time (NotNow), acts on something that
changed meanwhile (Stale), typed something wrong (InvalidInput), or an outside system failed
(ExternalFault).
"""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal that a person may read; never a defect of the program."""

    status: ClassVar[int] = 400

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class NotSignedIn(DomainError):
    """The caller has not proved who it is; only programs are told so this way."""

    status = 401


class NotAllowed(DomainError):
    """The person lacks the right, whatever the moment."""

    status = 403


class NotFound(DomainError):
    """There is no such thing, or none that this person may know of."""

    status = 404


class NotNow(DomainError):
    """The right person in the wrong state: trying again later may work."""

    status = 409


class Stale(DomainError):
    """The subject changed since it was shown; ``facts`` say what."""

    status = 409


class Conflict(DomainError):
    """Something else holds the name, the place or the lock."""

    status = 409


class InvalidInput(DomainError):
    """Something typed or sent is wrong; ``field`` names it when one field is to blame."""

    status = 422

    def __init__(self, code: str, message: str, *, field: str | None = None, **facts: Any) -> None:
        super().__init__(code, message, **facts)
        self.field = field


class TooMany(DomainError):
    """Too much in too short a time; waiting helps."""

    status = 429


class ExternalFault(DomainError):
    """An outside system failed or refused; ``retryable`` says whether waiting may help."""

    status = 502

    def __init__(self, code: str, message: str, *, retryable: bool = False, **facts: Any) -> None:
        super().__init__(code, message, **facts)
        self.retryable = retryable


class FaultUnknown(ExternalFault):
    """The outcome of a remote call is not known: it may have happened or not."""
