"""Read commits: who made them, when, and who helped.

Fields are separated by NUL, which no commit can contain, so no message can forge a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

FORMAT = "tformat:%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B"
"""One commit of ``git log -z``: nine fields, each ended by NUL."""

FIELDS = 9
_CO_AUTHOR = re.compile(
    r"^co-authored-by:[ \t]*(?P<name>[^<\n]*?)[ \t]*<(?P<email>[^<>\n]+)>[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit; times are aware and in UTC, names and addresses as the commit has them."""

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_at: datetime
    committer_name: str
    committer_email: str
    committed_at: datetime
    co_authors: tuple[tuple[str, str], ...]
    message: str

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0].strip()

    @property
    def people(self) -> tuple[tuple[str, str], ...]:
        """Author, committer and co-authors as (name, address)."""
        return (
            (self.author_name, self.author_email),
            (self.committer_name, self.committer_email),
            *self.co_authors,
        )


def parse(printed: bytes) -> Iterator[CommitInfo]:
    """Read what ``git log -z`` prints in ``FORMAT``."""
    fields = printed.split(b"\0")
    for start in range(0, len(fields) - FIELDS + 1, FIELDS):
        chunk = fields[start : start + FIELDS]
        yield _commit([field.decode("utf-8", "replace") for field in chunk])


def _commit(fields: Sequence[str]) -> CommitInfo:
    message = fields[8].rstrip("\n")
    return CommitInfo(
        sha=fields[0],
        parents=tuple(fields[1].split()),
        author_name=fields[2],
        author_email=fields[3],
        authored_at=_moment(fields[4]),
        committer_name=fields[5],
        committer_email=fields[6],
        committed_at=_moment(fields[7]),
        co_authors=co_authors(message),
        message=message,
    )


def co_authors(message: str) -> tuple[tuple[str, str], ...]:
    """People named by ``Co-authored-by:`` lines anywhere in a message, in order, once each."""
    found = ((match["name"], match["email"].strip()) for match in _CO_AUTHOR.finditer(message))
    return tuple(dict.fromkeys(found))


def _moment(seconds: str) -> datetime:
    """Seconds since 1970 as a moment; what no calendar holds becomes 1970 rather than a crash."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
