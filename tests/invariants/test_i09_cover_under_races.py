"""I-9 and I-13 in the database: cover that is lost at the same moment as the intent.

Two real connections. Whatever takes cover away is tried in both orders: committed while the intent
waits for it, and begun while the intent is not yet committed. Never a write without cover: either
the floor refuses, or the loss waits until the intent is committed and then has its own rule.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from releases.models import ReleaseItem, Step
from tests.support import cover
from tests.support.company import Company
from tests.support.cover import Case, asked
from tests.support.databases import role_connection

WAITS_SECONDS = 0.25
INTENT = "UPDATE releases_step SET state = 'intended' WHERE id = %s"


@dataclass(frozen=True)
class Loss:
    """A statement that takes cover away, as web's login runs it."""

    sql: str
    values: Callable[[Case], list[Any]]


def ben(case: Case) -> int:
    return case.company.people["ben"].pk


REJECTION = (
    "INSERT INTO governance_decision (uuid, created_at, request_id, person_id, digest, verdict, "
    "comment, role, decided_at, auth_strength, policy_version_id, policy_digest) "
    "SELECT gen_random_uuid(), now(), %s, %s, %s, 'reject', 'No.', 'board_member', now(), "
    "'password', id, digest FROM governance_policyversion WHERE id = %s"
)
UNKNOWN = (
    "INSERT INTO governance_unmappedidentity (request_id, email, name) "
    "VALUES (%s, 'who@example.com', 'Who')"
)
LOSSES = {
    "decision withdrawn": Loss(
        "INSERT INTO governance_withdrawal (decision_id, at, reason) VALUES (%s, now(), '')",
        lambda case: [case.decision("ben").pk],
    ),
    "role revoked": Loss(
        "UPDATE governance_membership SET revoked_at = now() "
        "WHERE user_id = %s AND role = 'board_member'",
        lambda case: [ben(case)],
    ),
    "account closed": Loss(
        "UPDATE governance_user SET is_active = false WHERE id = %s", lambda case: [ben(case)]
    ),
    "account said to be another one's": Loss(
        "UPDATE governance_user SET same_as_id = (SELECT u.id FROM governance_user u"
        " WHERE u.email LIKE 'lena@%%') WHERE id = %s",
        lambda case: [ben(case)],
    ),
    # A new version of the policy is put in force by the board's last decision on it and by nothing
    # else (I-30); what it does to the request is "request superseded".
    "rejected": Loss(
        REJECTION,
        lambda case: [
            case.request.pk,
            case.company.people["jonas"].pk,
            cover.DIGEST,
            case.request.policy_version_id,
        ],
    ),
    "author added": Loss(
        "INSERT INTO governance_exclusion (request_id, user_id, reason) VALUES (%s, %s, 'wrote')",
        lambda case: [case.request.pk, ben(case)],
    ),
    "unknown author added": Loss(UNKNOWN, lambda case: [case.request.pk]),
    "request superseded": Loss(
        "UPDATE governance_approvalrequest SET state = 'superseded', closed_at = now() "
        "WHERE id = %s",
        lambda case: [case.request.pk],
    ),
    "release edited": Loss(
        "UPDATE releases_release SET not_after = now() + interval '1 day' WHERE id = %s",
        lambda case: [case.release.pk],
    ),
    "candidate added": Loss(
        "INSERT INTO releases_releaseitem (release_id, candidate_id, added_by_id, added_at) "
        "SELECT %s, (SELECT min(id) FROM releases_candidate), %s, now()",
        lambda case: [case.release.pk, ben(case)],
    ),
    "policy of the environment replaced": Loss(
        "UPDATE environments_environment SET policy_id = NULL WHERE id = %s",
        lambda case: [case.deployment.environment_id],
    ),
    "environment retired": Loss(
        "UPDATE environments_environment SET retired_at = now() WHERE id = %s",
        lambda case: [case.deployment.environment_id],
    ),
}


class Login:
    """A login's connection, whose statements run in a thread of their own."""

    def __init__(self, opened: psycopg.Connection[Any]) -> None:
        self.connection = opened
        self.error: psycopg.Error | None = None
        self._thread: threading.Thread | None = None

    def begin(self, statement: str, *values: Any) -> bool:
        """Run a statement; returns whether it ended at once rather than wait for somebody."""

        def run() -> None:
            try:
                self.connection.execute(statement, values)
            except psycopg.Error as error:
                self.error = error

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        self._thread.join(WAITS_SECONDS)
        return not self._thread.is_alive()

    def finish(self) -> str:
        """Wait for the statement, then commit; returns the code with which it was refused."""
        assert self._thread is not None
        self._thread.join(20)
        assert not self._thread.is_alive(), "still waiting"
        if self.error is not None:
            self.connection.rollback()
            return self.error.sqlstate or "?"
        self.connection.commit()
        return ""


def state_of(step: Step) -> str:
    state: str = Step.objects.get(pk=step.pk).state
    return state


def test_i09_cover_lost_before_the_intent_commits_is_always_seen(committed: Company) -> None:
    """I-9: authority is re-checked when used. The loss is under way when the intent begins."""
    case = asked(committed, "ana", "ben")
    for name, loss in LOSSES.items():
        with role_connection("web") as web, role_connection("deploy") as deploy:
            taking, intending = Login(web), Login(deploy)
            assert taking.begin(loss.sql, *loss.values(case)), name
            waited = not intending.begin(INTENT, case.write.pk)
            assert waited, f"{name}: the intent did not wait for it"
            web.rollback()
            assert intending.error is None
            intending._thread.join(20)  # type: ignore[union-attr]
            assert intending.error is None, f"{name}: taken back, so the cover stands"
            deploy.rollback()
    assert state_of(case.write) == "pending"


@pytest.mark.parametrize(
    "name",
    [
        "decision withdrawn",
        "role revoked",
        "account said to be another one's",
        "request superseded",
        "release edited",
    ],
)
def test_i09_the_loss_commits_first_and_nothing_is_intended(committed: Company, name: str) -> None:
    """I-9: removed between approval and call, held. The intent waits and then sees the loss."""
    loss, case = LOSSES[name], asked(committed, "ana", "ben")
    with role_connection("web") as web, role_connection("deploy") as deploy:
        taking, intending = Login(web), Login(deploy)
        assert taking.begin(loss.sql, *loss.values(case))
        assert not intending.begin(INTENT, case.write.pk)
        assert taking.finish() == ""
        assert intending.finish() == "P0F02"
    assert state_of(case.write) == "pending"


def test_i09_the_intent_commits_first_and_every_loss_waits_for_it(committed: Company) -> None:
    """I-9, the other order: the loss comes after the intent, never between count and commit."""
    case = asked(committed, "ana", "ben")
    for name, loss in LOSSES.items():
        with role_connection("web") as web, role_connection("deploy") as deploy:
            taking, intending = Login(web), Login(deploy)
            assert intending.begin(INTENT, case.write.pk), name
            assert not taking.begin(loss.sql, *loss.values(case)), f"{name}: it did not wait"
            deploy.rollback()
            taking._thread.join(20)  # type: ignore[union-attr]
            assert taking.error is None, name
            web.rollback()


JOINS = Loss(
    "INSERT INTO governance_membership (uuid, created_at, user_id, team_id, role, granted_at)"
    " SELECT gen_random_uuid(), now(), %s, id, 'developer', now() FROM governance_team"
    " WHERE slug = 'sales'",
    lambda case: [ben(case)],
)


def test_i09_who_joins_a_contributing_team_meanwhile_is_waited_for_and_seen(
    committed: Company,
) -> None:
    """I-9 in both orders: the intent waits and is refused, or the joining waits for the intent."""
    release = committed.releases["November train"]
    ReleaseItem.objects.create(
        release=release,
        candidate=committed.candidates["sales v1.1.0"],
        added_by=committed.people["marek"],
        added_at=committed.now,
    )
    case = asked(committed, "ana", "ben")
    with role_connection("web") as web, role_connection("deploy") as deploy:
        taking, intending = Login(web), Login(deploy)
        assert intending.begin(INTENT, case.write.pk)
        assert not taking.begin(JOINS.sql, *JOINS.values(case))
        deploy.rollback()
        taking._thread.join(20)  # type: ignore[union-attr]
        web.rollback()
    with role_connection("web") as web, role_connection("deploy") as deploy:
        taking, intending = Login(web), Login(deploy)
        assert taking.begin(JOINS.sql, *JOINS.values(case))
        assert not intending.begin(INTENT, case.write.pk)
        assert taking.finish() == ""
        assert intending.finish() == "P0F02"
    assert state_of(case.write) == "pending"
