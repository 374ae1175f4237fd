"""Waking, claiming and finishing, in one process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.context import current_actor, request_id
from core.db import database_now
from core.errors import ExternalFault
from jobs import periodic, registry, runner
from jobs.errors import LostClaim, UnknownKind
from jobs.models import Work
from jobs.registry import Claim, Next
from jobs.wake import wake
from tests.jobs.conftest import Script
from tests.support.databases import as_role
from tests.support.race import race

pytestmark = pytest.mark.django_db

Kind = Callable[..., Script]
Events = list[tuple[str, dict[str, object]]]


def advance(*ids: int, queue: str = "deploy") -> None:
    """Attend as the worker of a queue does, in its role."""
    with as_role(queue):
        runner.advance(queue, list(ids))


def woken(name: str, subject_id: int = 1, at: datetime | None = None) -> Work:
    """Wake and return the row."""
    wake(name, subject_id, at=at)
    return Work.objects.get(kind=name, subject_id=subject_id)


def test_a_second_wake_of_a_subject_finds_the_same_row(kind: Kind) -> None:
    kind("test.a")
    first = woken("test.a", 7)
    second = woken("test.a", 7)
    assert first.pk == second.pk
    assert second.queue == "deploy"


@pytest.mark.parametrize(("first", "second"), [(10, 60), (60, 10)], ids=["later", "earlier"])
def test_the_earlier_of_two_wakes_wins(kind: Kind, first: int, second: int) -> None:
    kind("test.a")
    moment = database_now()
    woken("test.a", at=moment + timedelta(seconds=first))
    row = woken("test.a", at=moment + timedelta(seconds=second))
    assert row.wake_at == moment + timedelta(seconds=10)


def test_work_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownKind, match="nobody\\.knows"):
        wake("nobody.knows", 1)


def test_a_rolled_back_wake_leaves_nothing(kind: Kind) -> None:
    kind("test.a")
    with transaction.atomic():
        wake("test.a", 1)
        transaction.set_rollback(True)
    assert not Work.objects.exists()


def test_a_kind_is_registered_once(kind: Kind) -> None:
    kind("test.a")
    with pytest.raises(ValueError, match="twice"):
        kind("test.a")


def test_a_kind_needs_a_known_queue(kind: Kind) -> None:
    with pytest.raises(ValueError, match="no such queue"):
        kind("test.a", queue="default")


def test_the_handler_meets_its_subject_as_a_worker(kind: Kind) -> None:
    seen: list[Any] = []

    def look(claim: Claim) -> Next:
        seen.extend([claim.subject_id, current_actor(), request_id()])
        return Next.done()

    kind("test.a", look)
    advance(woken("test.a", 42).pk)
    subject_id, actor, request = seen
    assert subject_id == 42
    assert actor.kind == "worker"
    assert actor.name.startswith("deploy worker ")
    assert request == "test.a-42-1"


def test_done_leaves_a_row_that_wants_nothing(kind: Kind) -> None:
    kind("test.a")
    row = woken("test.a")
    advance(row.pk)
    row.refresh_from_db()
    assert (row.wake_at, row.lease_until, row.queued_until) == (None, None, None)
    assert row.finished_at is not None
    assert row.fence == 1


def test_after_sets_the_next_wake(kind: Kind) -> None:
    kind("test.a", Next.after(30))
    row = woken("test.a")
    advance(row.pk)
    row.refresh_from_db()
    assert row.wake_at is not None
    assert 25 < (row.wake_at - database_now()).total_seconds() <= 30


def test_now_calls_again_inside_the_same_claim(kind: Kind) -> None:
    script = kind("test.a", Next.now(), Next.now(), Next.done())
    advance(woken("test.a").pk)
    assert [claim.fence for claim in script.claims] == [1, 1, 1]


def test_now_without_end_is_cut_and_goes_on_later(kind: Kind) -> None:
    script = kind("test.a", Next.now())
    row = woken("test.a")
    advance(row.pk)
    row.refresh_from_db()
    assert len(script.claims) == runner.MAX_HOPS
    assert row.lease_until is None
    assert row.wake_at is not None


def test_a_wake_during_the_work_is_not_lost(kind: Kind) -> None:
    def woken_meanwhile(claim: Claim) -> Next:
        wake("test.a", claim.subject_id)
        return Next.done()

    kind("test.a", woken_meanwhile)
    row = woken("test.a")
    advance(row.pk)
    row.refresh_from_db()
    assert row.wake_at is not None
    assert row.lease_until is None


def test_ids_that_want_nothing_do_nothing(kind: Kind) -> None:
    script = kind("test.a")
    finished = woken("test.a", 1)
    later = woken("test.a", 2, at=database_now() + timedelta(hours=1))
    advance(finished.pk)
    advance(finished.pk, later.pk, 10**12)
    assert [claim.subject_id for claim in script.claims] == [1]


def test_a_row_under_a_lease_is_not_claimed_again(kind: Kind) -> None:
    inner: list[int] = []

    def second_worker(claim: Claim) -> Next:
        wake("test.a", claim.subject_id)
        runner.advance("deploy", [claim.work_id])
        inner.append(claim.fence)
        return Next.done()

    kind("test.a", second_worker)
    advance(woken("test.a").pk)
    assert inner == [1]


def test_a_row_of_another_queue_is_left_alone(kind: Kind) -> None:
    script = kind("test.a", queue="build")
    row = woken("test.a")
    advance(row.pk, queue="deploy")
    assert script.claims == []
    advance(row.pk, queue="build")
    assert len(script.claims) == 1


def test_a_lapsed_lease_is_taken_over_with_a_higher_fence(kind: Kind) -> None:
    script = kind("test.a")
    row = woken("test.a")
    with as_role("deploy"):
        Work.objects.filter(pk=row.pk).update(
            fence=5, wake_at=None, lease_until=database_now() - timedelta(seconds=1)
        )
    advance(row.pk)
    assert [claim.fence for claim in script.claims] == [6]


def test_a_worker_whose_fence_is_over_can_neither_write_nor_renew(kind: Kind) -> None:
    old = Claim("test.a", 1, 1, 0)

    def overtaken(claim: Claim) -> Next:
        nonlocal old
        old = claim
        Work.objects.filter(pk=claim.work_id).update(fence=claim.fence + 1)
        with transaction.atomic():
            claim.guard()
        return Next.after(1)

    kind("test.a", overtaken)
    row = woken("test.a")
    advance(row.pk)
    row.refresh_from_db()
    assert (row.fence, row.wake_at) == (2, None), "the loser must not set the next wake"
    with as_role("deploy"), pytest.raises(LostClaim):
        old.renew()
    with as_role("deploy"), pytest.raises(LostClaim), transaction.atomic():
        old.guard()


def test_renew_moves_the_lease(kind: Kind) -> None:
    leases: list[datetime | None] = []

    def renewing(claim: Claim) -> Next:
        claim.renew(500)
        leases.append(Work.objects.get(pk=claim.work_id).lease_until)
        return Next.done()

    kind("test.a", renewing)
    advance(woken("test.a").pk)
    assert leases[0] is not None
    assert leases[0] > database_now() + timedelta(seconds=400)


def test_a_passing_fault_is_tried_again_with_growing_pauses(kind: Kind, events: Events) -> None:
    kind("test.a", ExternalFault("org.busy", "The org is busy.", retryable=True))
    row = woken("test.a")
    pauses = []
    for _ in range(6):
        advance(row.pk)
        row.refresh_from_db()
        assert row.wake_at is not None
        pauses.append(round((row.wake_at - database_now()).total_seconds()))
        wake("test.a", 1)
    assert pauses == [2, 4, 8, 16, 30, 30]
    assert row.last_error == "org.busy: The org is busy."
    assert events == []


def test_success_forgets_failures(kind: Kind) -> None:
    kind("test.a", ExternalFault("org.busy", "Busy.", retryable=True), Next.done())
    row = woken("test.a")
    advance(row.pk)
    wake("test.a", 1)
    advance(row.pk)
    row.refresh_from_db()
    assert (row.tries, row.last_error) == (0, "")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("a bug"),
        ExternalFault("org.gone", "The org is gone.", retryable=False),
        DatabaseError("a broken query"),
    ],
    ids=["bug", "final fault", "database"],
)
def test_a_crash_is_told_and_tried_again_later(
    kind: Kind, events: Events, error: Exception
) -> None:
    kind("test.a", error)
    row = woken("test.a", 3)
    advance(row.pk)
    row.refresh_from_db()
    assert row.wake_at is not None
    assert 55 < (row.wake_at - database_now()).total_seconds() <= 60
    assert str(error) in row.last_error
    ((event, facts),) = events
    assert event == "job.crashed"
    assert (facts["kind"], facts["subject_id"], facts["tries"]) == ("test.a", 3, 1)


def test_pauses_after_crashes_end_at_a_quarter_of_an_hour(kind: Kind, events: Events) -> None:
    kind("test.a", RuntimeError("a bug"))
    row = woken("test.a")
    with as_role("deploy"):
        Work.objects.filter(pk=row.pk).update(tries=50)
    advance(row.pk)
    row.refresh_from_db()
    assert row.wake_at is not None
    assert round((row.wake_at - database_now()).total_seconds()) == 900


def test_a_crash_does_not_stop_the_neighbours(kind: Kind, events: Events) -> None:
    kind("test.bad", RuntimeError("a bug"))
    good = kind("test.good")
    advance(woken("test.bad").pk, woken("test.good").pk)
    assert len(good.claims) == 1


def test_a_failed_query_in_a_handler_leaves_the_connection_usable(
    kind: Kind, events: Events
) -> None:
    def broken(claim: Claim) -> Next:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        return Next.done()

    kind("test.bad", broken)
    good = kind("test.good")
    advance(woken("test.bad").pk, woken("test.good").pk)
    assert len(good.claims) == 1
    assert "division by zero" in str(events[0][1]["error"])


def test_a_worker_told_to_stop_hands_the_rest_back(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(claim: Claim) -> Next:
        runner.stopping.set()
        return Next.done()

    kind("test.a", stop)
    first, second = woken("test.a", 1), woken("test.a", 2)
    with as_role("ticker"):
        Work.objects.update(queued_until=database_now() + timedelta(seconds=30))
    try:
        advance(first.pk, second.pk)
    finally:
        runner.stopping.clear()
    second.refresh_from_db()
    assert second.fence == 0
    assert second.wake_at is not None
    assert second.queued_until is None


def test_guard_demands_a_transaction(transactional_db: None) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        Claim("test.a", 1, 1, 1).guard()


class TestRights:
    """What the database itself refuses."""

    def test_web_may_wake_and_nothing_else(self, kind: Kind) -> None:
        kind("test.a")
        row = woken("test.a")
        for column in ("fence", "lease_until", "queued_until", "tries", "last_error"):
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                Work.objects.filter(pk=row.pk).update(**{column: None})

    def test_the_ticker_may_not_claim(self, kind: Kind) -> None:
        kind("test.a")
        row = woken("test.a")
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            as_role("ticker"),
        ):
            Work.objects.filter(pk=row.pk).update(fence=9)

    @pytest.mark.parametrize("role", ["web", "build", "deploy", "ticker"])
    def test_nobody_deletes_a_row(self, kind: Kind, role: str) -> None:
        kind("test.a")
        row = woken("test.a")
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            as_role(role),
        ):
            row.delete()

    def test_a_fence_never_shrinks(self, kind: Kind) -> None:
        kind("test.a")
        row = woken("test.a")
        advance(row.pk)
        with (
            pytest.raises(DatabaseError, match="the fence only grows"),
            transaction.atomic(),
            as_role("deploy"),
        ):
            Work.objects.filter(pk=row.pk).update(fence=0)

    def test_a_subject_has_one_row(self, kind: Kind) -> None:
        kind("test.a")
        woken("test.a")
        insert = "INSERT INTO jobs_work (kind, subject_id, queue) VALUES ('test.a', 1, 'build')"
        with (
            pytest.raises(IntegrityError, match="work_once_per_subject"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(insert)


class TestPeriodic:
    """Work that returns by itself."""

    @pytest.fixture(autouse=True)
    def _table(self, monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
        monkeypatch.setattr(periodic, "_table", {})
        kind("test.sweep")
        periodic.register("sweep", 60, "test.sweep", 1)

    def row(self) -> Work:
        with as_role("ticker"):
            periodic.wake_due()
        return Work.objects.get(kind="test.sweep")

    def test_it_is_woken_the_first_time(self) -> None:
        assert self.row().wake_at is not None

    def test_it_rests_after_it_has_run(self) -> None:
        advance(self.row().pk)
        assert self.row().wake_at is None

    def test_it_is_woken_again_when_it_has_rested(self) -> None:
        row = self.row()
        advance(row.pk)
        with as_role("deploy"):
            Work.objects.update(finished_at=database_now() - timedelta(seconds=61))
        assert self.row().wake_at is not None

    def test_a_name_is_registered_once(self) -> None:
        with pytest.raises(ValueError, match="twice"):
            periodic.register("sweep", 1, "test.sweep", 1)


class TestRaces:
    """Real connections that meet."""

    def test_of_many_workers_one_claims(self, transactional_db: None, kind: Kind) -> None:
        script = kind("test.a")
        row = woken("test.a")

        def worker() -> None:
            with as_role("deploy"):
                runner.advance("deploy", [row.pk])

        outcomes = race(*[worker] * 6)
        assert [outcome.error for outcome in outcomes] == [None] * 6
        assert len(script.claims) == 1

    def test_waking_does_not_wait_for_a_guarded_transaction(
        self, transactional_db: None, kind: Kind
    ) -> None:
        def guarded(claim: Claim) -> Next:
            with transaction.atomic():
                claim.guard()
                (outcome,) = race(lambda: wake("test.a", claim.subject_id))
                assert outcome.error is None
            return Next.done()

        kind("test.a", guarded)
        row = woken("test.a")
        advance(row.pk)
        row.refresh_from_db()
        assert row.last_error == ""
        assert row.wake_at is not None


def test_registered_kinds_are_listed_by_name(kind: Kind) -> None:
    kind("test.b")
    kind("test.a")
    names = [entry.name for entry in registry.kinds()]
    assert names == sorted(names)
    assert {"test.a", "test.b"} <= set(names)
