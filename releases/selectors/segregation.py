"""Who may not decide on a release (design 5), as the database derives it (0014_attacks.sql).

Excluded are the composer, who changed the release last, whoever offered or tested a candidate,
decided between candidates or wrote the runbook, and every member, now or since the oldest commit,
of a contributing team. Git authors, committers and co-authors are added where their address is
mapped to a person; one that is not mapped blocks until it is.

The page, the question, the gate and the floor ask this one function, so none of them can leave
somebody out by itself.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import F, Func, QuerySet, TextField

from core.composed import Composed, Given, Question
from governance.models import ApprovalRequest, User
from releases.models import Release

Exclusions = list[tuple[User, str]]
Identities = list[tuple[str, str]]


def excluded(release: Release) -> tuple[Exclusions, Identities]:
    """People who may not decide, each once with the first reason, and Git identities unmapped."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT person, reason, email, name FROM releases_hands(%s)", [release.pk])
        rows = cursor.fetchall()
    people = User.objects.in_bulk([person for person, *_ in rows if person is not None])
    found = [(people[person], reason) for person, reason, *_ in rows if person is not None]
    return found, [(email, name) for person, _, email, name in rows if person is None]


def left_out(request_id: int, release_id: int) -> str:
    """Whom a question has come to leave out although it counts on them; empty when nobody."""
    ((words,),) = _LEFT_OUT(request=request_id, release=release_id)
    return words or ""


def foreseen(request_id: int, release_id: int) -> Question:
    """What ``left_out`` will ask."""
    return _LEFT_OUT.asked(request=request_id, release=release_id)


def _left_out() -> QuerySet[ApprovalRequest, Any]:
    words = Func(
        F("pk"),
        Given("release", "bigint"),
        function="releases_left_out",
        output_field=TextField(),
    )
    return ApprovalRequest.objects.filter(pk=Given("request", "bigint")).values_list(words)


_LEFT_OUT = Composed(_left_out)
