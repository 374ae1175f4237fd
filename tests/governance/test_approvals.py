"""Approvals through the database: asking, deciding, taking back, voiding, expiring."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from core.context import Actor, acting_as
from core.db import database_now
from core.errors import (
    Conflict,
    DomainError,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotNow,
    Stale,
)
from governance import approvals, inbox
from governance.models import ApprovalRequest, AuditEvent, Decision, Membership, PolicyVersion, User
from governance.rules.policy import COUNTABLE_ROLES
from governance.services import people
from governance.states import ApprovalState, PersonKind
from tests.governance.world import (
    DIGEST,
    KIND,
    OTHER_DIGEST,
    Subject,
    World,
    acting,
    ask,
    change_policy,
    decide,
    needs,
    seat,
)


def state_of(request: ApprovalRequest) -> str:
    return ApprovalRequest.objects.get(pk=request.pk).state


def fresh(request: ApprovalRequest) -> ApprovalRequest:
    return ApprovalRequest.objects.get(pk=request.pk)


def sentences(request: ApprovalRequest) -> list[str]:
    events = AuditEvent.objects.filter(related__contains=[request.public_id]).order_by("id")
    return [str(event.sentence) for event in events]


def revoke(world: World, name: str, role: str) -> None:
    row = Membership.objects.get(user=world.by_name[name], role=role, revoked_at=None)
    with acting(world.ana if name != "ana" else world.ben):
        people.revoke(membership_id=row.pk)


def test_two_board_members_approve_and_the_history_tells_it(world: World, subject: Subject) -> None:
    request = ask(world)
    decide(world.ben, request, comment="Rehearsal was clean.")
    assert state_of(request) == "open"
    decide(world.ana, request)
    assert state_of(request) == "satisfied"
    assert subject.outcomes == [(request.pk, "satisfied")]
    assert sentences(request)[1:] == [
        "Ben Okafor approved R-42 for Production (A·9f3c2e1)",
        "Ana Lima approved R-42 for Production (A·9f3c2e1)",
        "Ana Lima gave the last approval that R-42 for Production (A·9f3c2e1) needed",
    ]
    assert sentences(request)[0].startswith("Rita Moss asked for approval of R-42 for Production")


def test_events_of_an_approval_belong_to_the_story_of_what_its_label_names(world: World) -> None:
    request = ask(world, related=["D-7"])
    event = AuditEvent.objects.filter(event="approval.opened").get()
    assert event.related == [request.public_id, "R-42", "D-7"]


def test_a_decision_keeps_what_it_was_about(world: World) -> None:
    request = ask(world)
    decision = decide(world.ben, request, comment="  fine  ")
    stored = Decision.objects.get(pk=decision.pk)
    assert (stored.digest, stored.role, stored.comment, stored.auth_strength) == (
        DIGEST,
        "board_member",
        "fine",
        "password",
    )
    assert stored.signature is None
    assert stored.decided_at >= request.opened_at


def test_one_rejection_ends_the_request(world: World, subject: Subject) -> None:
    request = ask(world)
    decide(world.ana, request)
    decide(world.ben, request, verdict="reject", comment="No runbook.")
    assert state_of(request) == "rejected"
    assert subject.outcomes == [(request.pk, "rejected")]
    assert "Ben Okafor rejected R-42 for Production (A·9f3c2e1): No runbook." in sentences(request)


def test_a_late_rejection_stops_what_was_satisfied(world: World, subject: Subject) -> None:
    request = ask(world)
    decide(world.ana, request)
    decide(world.ben, request)
    decide(world.cleo, request, verdict="reject", comment="Wait.")
    assert subject.outcomes == [(request.pk, "satisfied"), (request.pk, "rejected")]


REFUSALS: dict[str, tuple[str, dict[str, Any], dict[str, Any], type[DomainError], str]] = {
    "the requester": ("ana", {"requester": "ana"}, {}, NotAllowed, "approval.requester"),
    "somebody excluded": (
        "ana",
        {"exclusions": [("ana", "wrote 6 of its commits")]},
        {},
        NotAllowed,
        "approval.excluded",
    ),
    "a release manager": ("rita", {"requester": "otto"}, {}, NotAllowed, "approval.no_role"),
    "an auditor": ("otto", {}, {}, NotAllowed, "approval.no_role"),
    "somebody without any role": ("nils", {}, {}, NotAllowed, "approval.no_role"),
    "with an unknown author": (
        "ana",
        {"unmapped": [("yuki@elsewhere.example", "Yuki")]},
        {},
        NotNow,
        "approval.unmapped",
    ),
    "after seeing something else": (
        "ana",
        {},
        {"shown_digest": OTHER_DIGEST},
        Stale,
        "approval.stale",
    ),
    "when the subject changed": (
        "ana",
        {},
        {"current_digest": OTHER_DIGEST},
        Stale,
        "approval.stale",
    ),
    "without saying yes or no": ("ana", {}, {"verdict": "maybe"}, InvalidInput, "approval.verdict"),
    "rejecting without a word": (
        "ana",
        {},
        {"verdict": "reject", "comment": "  "},
        InvalidInput,
        "approval.comment",
    ),
    "with a novel": ("ana", {}, {"comment": "x" * 2001}, InvalidInput, "approval.comment"),
    "on nothing": ("ana", {}, {"request_id": 10**9}, NotFound, "approval.unknown"),
}


@pytest.mark.parametrize("case", REFUSALS, ids=list(REFUSALS))
def test_a_decision_is_refused(world: World, case: str) -> None:
    name, asked, given, error, code = REFUSALS[case]
    if "requester" in asked:
        asked = {**asked, "requester": world.by_name[asked["requester"]]}
    if "exclusions" in asked:
        asked = {**asked, "exclusions": [(world.by_name[n], why) for n, why in asked["exclusions"]]}
    request = ask(world, **asked)
    with pytest.raises(error) as caught:
        decide(world.by_name[name], request, **given)
    assert caught.value.code == code
    assert not Decision.objects.exists()
    assert state_of(request) == "open"


def test_a_stale_click_is_told_what_was_asked_shown_and_is(world: World) -> None:
    request = ask(world)
    with pytest.raises(Stale) as caught:
        decide(world.ana, request, shown_digest=DIGEST, current_digest=OTHER_DIGEST)
    assert caught.value.facts == {"asked": DIGEST, "shown": DIGEST, "current": OTHER_DIGEST}


def test_an_unknown_author_keeps_nobody_from_rejecting(world: World) -> None:
    request = ask(world, unmapped=[("yuki@elsewhere.example", "Yuki")])
    decide(world.ana, request, verdict="reject", comment="Who is this?")
    assert state_of(request) == "rejected"


def test_nobody_decides_twice(world: World) -> None:
    request = ask(world)
    decide(world.ana, request)
    with pytest.raises(NotNow) as caught:
        decide(world.ana, request)
    assert caught.value.code == "approval.already_decided"
    assert Decision.objects.count() == 1


@pytest.mark.parametrize(
    "actor",
    [Actor("worker", None, "deploy worker"), Actor("system", None, "seed")],
    ids=["worker", "system"],
)
def test_machines_do_not_decide(world: World, actor: Actor) -> None:
    request = ask(world)
    with acting_as(actor), pytest.raises(NotAllowed) as caught:
        approvals.decide(
            request_id=request.pk,
            verdict="approve",
            comment="",
            shown_digest=DIGEST,
            current_digest=DIGEST,
            auth_strength="password",
        )
    assert caught.value.code == "permission.not_a_person"


def test_a_service_account_gets_no_role_and_does_not_decide(world: World) -> None:
    bot = User.objects.create(
        email="bot@example.com", full_name="Build Bot", kind=PersonKind.SERVICE
    )
    with acting(world.ana), pytest.raises(NotAllowed) as caught:
        people.grant(user_id=bot.pk, team_id=world.platform.pk, role="release_manager")
    assert caught.value.code == "member.not_a_person"
    request = ask(world)
    with pytest.raises(NotAllowed) as caught:
        decide(bot, request)
    assert caught.value.code == "approval.not_a_person"


def test_who_joins_the_board_later_decides_on_later_requests_only(world: World) -> None:
    request = ask(world)
    seat(world, "nils")
    with pytest.raises(NotAllowed) as caught:
        decide(world.nils, request)
    assert caught.value.code == "approval.role_too_new"
    later = ask(world, subject_id=43)
    decide(world.nils, later)


def test_a_lost_role_takes_the_approval_with_it_at_once(
    world: World, subject: Subject, django_capture_on_commit_callbacks: Any
) -> None:
    request = ask(world)
    decide(world.ana, request)
    decide(world.ben, request)
    assert approvals.progress(fresh(request)).satisfied
    with django_capture_on_commit_callbacks(execute=True):
        revoke(world, "ben", "board_member")
    standing = approvals.progress(fresh(request))
    assert not standing.satisfied
    assert standing.reasons == ["Needs 1 more approval from a board member."]
    assert [bool(ballot.counts) for ballot in standing.approvals] == [True, False]
    assert state_of(request) == "open"
    assert subject.outcomes[-1] == (request.pk, "open")
    assert sentences(request)[-1] == (
        "Ana Lima left R-42 for Production (A·9f3c2e1) without enough approvals"
    )


def test_a_closed_account_takes_its_approval_with_it(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    request = ask(world)
    decide(world.cleo, request)
    decide(world.ben, request)
    with acting(world.ana), django_capture_on_commit_callbacks(execute=True):
        people.deactivate(user_id=world.cleo.pk, reason="left the company")
    assert not approvals.progress(fresh(request)).satisfied
    assert state_of(request) == "open"


def test_a_third_approval_satisfies_again_after_a_lost_one(
    world: World, subject: Subject, django_capture_on_commit_callbacks: Any
) -> None:
    request = ask(world)
    decide(world.ben, request)
    decide(world.ana, request)
    with django_capture_on_commit_callbacks(execute=True):
        revoke(world, "ben", "board_member")
    decide(world.cleo, request)
    assert [state for _, state in subject.outcomes] == ["satisfied", "open", "satisfied"]


def test_taking_an_approval_back_reopens_the_request(world: World, subject: Subject) -> None:
    request = ask(world)
    decide(world.ana, request)
    decide(world.ben, request)
    with acting(world.ben):
        approvals.withdraw_decision(request_id=request.pk, reason="I misread it")
    assert state_of(request) == "open"
    assert [state for _, state in subject.outcomes] == ["satisfied", "open"]
    assert "Ben Okafor took back the approval of R-42 for Production (A·9f3c2e1)" in sentences(
        request
    )
    assert approvals.progress(fresh(request)).withdrawn[0].person == world.ben


def test_a_decision_is_taken_back_once_by_its_owner_while_the_request_lives(world: World) -> None:
    request = ask(world)
    decide(world.ana, request)
    with acting(world.ben), pytest.raises(NotFound):
        approvals.withdraw_decision(request_id=request.pk)
    with acting(world.ana):
        approvals.withdraw_decision(request_id=request.pk)
        with pytest.raises(Conflict):
            approvals.withdraw_decision(request_id=request.pk)
    with pytest.raises(NotNow) as caught:
        decide(world.ana, request)
    assert caught.value.code == "approval.already_withdrawn"


def test_nothing_is_taken_back_from_a_closed_request(world: World) -> None:
    request = ask(world)
    decide(world.ana, request)
    with acting(world.rita):
        approvals.withdraw_request(request_id=request.pk, reason="not yet")
    with acting(world.ana), pytest.raises(NotNow) as caught:
        approvals.withdraw_decision(request_id=request.pk)
    assert caught.value.code == "approval.closed"


def test_asking_anew_supersedes_the_question_and_carries_no_decision_over(
    world: World, subject: Subject
) -> None:
    first = ask(world)
    decide(world.ana, first)
    second = ask(world, digest=OTHER_DIGEST)
    assert state_of(first) == "superseded"
    assert fresh(first).closed_at is not None
    assert approvals.progress(second).approvals == []
    assert (first.pk, "superseded") in subject.outcomes


@pytest.mark.parametrize("voters", [(), ("ana",), ("ana", "ben")], ids=["none", "one", "satisfied"])
def test_a_changed_subject_voids_every_decision(
    world: World, subject: Subject, voters: tuple[str, ...]
) -> None:
    request = ask(world)
    for name in voters:
        decide(world.by_name[name], request)
    with acting_as(Actor("worker", None, "deploy worker")):
        approvals.supersede(KIND, 42, "production changed since approval")
    assert state_of(request) == "superseded"
    assert not approvals.progress(fresh(request)).satisfied
    assert subject.outcomes[-1] == (request.pk, "superseded")
    assert sentences(request)[-1] == (
        f"Gatehouse voided the request {request.public_id} for R-42 for Production (A·9f3c2e1): "
        "production changed since approval"
    )


def test_superseding_what_nobody_asked_about_does_nothing(world: World) -> None:
    with acting(world.rita):
        assert approvals.supersede(KIND, 1, "nothing") is None


def test_a_new_version_of_the_policy_voids_open_requests(world: World, subject: Subject) -> None:
    request = ask(world)
    decide(world.ana, request)
    change_policy(world, world.production.body | needs(3))
    assert state_of(request) == "superseded"
    assert fresh(request).note == "version 2 of Production"


def test_what_is_over_is_closed_by_a_worker_and_told(world: World, subject: Subject) -> None:
    soon = ask(world, expires_at=database_now() + timedelta(milliseconds=30))
    later = ask(world, subject_id=43)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.05)")
    assert not approvals.progress(soon).satisfied
    with pytest.raises(NotNow) as caught:
        decide(world.ana, soon)
    assert caught.value.code == "approval.expired"
    with acting_as(Actor("worker", None, "build worker")):
        assert approvals.expire_due() == [soon.pk]
    assert (state_of(soon), state_of(later)) == ("expired", "open")
    assert subject.outcomes == [(soon.pk, "expired")]
    assert sentences(soon)[-1].startswith("Gatehouse let the request A-")


QUESTIONS: dict[str, tuple[dict[str, Any], type[DomainError], str]] = {
    "about an unknown kind": ({"kind": "unheard.of"}, InvalidInput, "approval.kind_unknown"),
    "without a digest": ({"digest": "9f3c2e1"}, InvalidInput, "approval.digest"),
    "that is over already": (
        {"expires_at": timedelta(seconds=-1)},
        InvalidInput,
        "approval.expiry",
    ),
}


@pytest.mark.parametrize("case", QUESTIONS, ids=list(QUESTIONS))
def test_a_question_is_refused(world: World, case: str) -> None:
    given, error, code = QUESTIONS[case]
    if "expires_at" in given:
        given = {"expires_at": database_now() + given["expires_at"]}
    with pytest.raises(error) as caught:
        ask(world, **given)
    assert caught.value.code == code
    assert not ApprovalRequest.objects.exists()


def test_a_question_that_too_few_may_answer_is_refused(world: World) -> None:
    with pytest.raises(NotNow) as caught:
        ask(world, exclusions=[(world.ben, "wrote it"), (world.cleo, "wrote it")])
    assert caught.value.code == "approval.unsatisfiable"
    assert caught.value.facts == {"needed": 2, "eligible": 1}


def test_a_question_under_an_old_version_is_refused(world: World) -> None:
    old = world.production
    change_policy(world, old.body | needs(1))
    with pytest.raises(Stale) as caught:
        ask(world)
    assert caught.value.code == "approval.old_policy"


def test_a_question_that_needs_nobody_is_satisfied_at_once(world: World, subject: Subject) -> None:
    version = PolicyVersion.objects.get(policy__name="Integration")
    request = ask(world, policy_version=version)
    assert state_of(request) == "satisfied"
    assert subject.outcomes == [(request.pk, "satisfied")]


def test_a_matched_author_is_excluded_and_unblocks_the_others(world: World) -> None:
    request = ask(world, unmapped=[("Yuki@Elsewhere.example", "Yuki")])
    assert approvals.progress(request).unmapped == ["Yuki <yuki@elsewhere.example>"]
    with acting(world.ana):
        people.map_identity(email="yuki@elsewhere.example", user_id=world.cleo.pk)
    standing = approvals.progress(fresh(request))
    assert standing.unmapped == []
    assert standing.may_decide(world.ben)
    refused = standing.may_decide(world.cleo)
    assert refused.code == "approval.excluded"
    assert refused.reason == "Cleo Sand wrote commits as yuki@elsewhere.example."


def test_an_approval_given_before_its_giver_turned_out_to_be_an_author_does_not_count(
    world: World,
) -> None:
    request = ask(world)
    decide(world.ben, request)
    decide(world.cleo, request)
    second = ask(world, subject_id=43, unmapped=[("c@elsewhere.example", "C")])
    with acting(world.ana):
        people.map_identity(email="c@elsewhere.example", user_id=world.cleo.pk)
    with pytest.raises(NotAllowed):
        decide(world.cleo, second)
    assert approvals.progress(fresh(request)).satisfied, "another request has nothing to do with it"


def test_progress_says_who_decided_who_may_and_who_may_not(world: World) -> None:
    request = ask(world, exclusions=[(world.dev, "wrote 6 of its commits")])
    decide(world.ben, request, comment="fine")
    standing = approvals.progress(fresh(request))
    assert standing.needed == 2
    assert [(ballot.person, ballot.comment) for ballot in standing.approvals] == [
        (world.ben, "fine")
    ]
    assert standing.may_still == [world.ana, world.cleo]
    assert standing.excluded == [(world.dev, "wrote 6 of its commits")]
    assert standing.may_decide(world.ana)
    assert not standing.may_decide(world.ben)


def test_progress_takes_the_digest_that_the_owner_recomputed(world: World) -> None:
    request = ask(world)
    decide(world.ana, request)
    decide(world.ben, request)
    assert approvals.progress(fresh(request), current_digest=DIGEST).satisfied
    stale = approvals.progress(fresh(request), current_digest=OTHER_DIGEST)
    assert not stale.satisfied
    assert stale.outcome.missing[0].code == "approval.stale"


@pytest.mark.parametrize("voters", [0, 2])
def test_counting_costs_the_same_few_queries_however_many_decided(
    world: World, django_assert_max_num_queries: Any, voters: int
) -> None:
    request = ask(world)
    for user in (world.ana, world.ben)[:voters]:
        decide(user, request)
    request = ApprovalRequest.objects.select_related("policy_version").get(pk=request.pk)
    with django_assert_max_num_queries(7):
        approvals.progress(request)


def test_the_inbox_shows_what_a_person_may_decide_and_nothing_else(world: World) -> None:
    request = ask(world)
    ask(world, subject_id=43, exclusions=[(world.ana, "wrote it")])
    decide(world.ben, request)
    waiting = inbox.waiting_for(world.ana)
    assert [(each.title, each.ref, each.url) for each in waiting] == [
        ("Approve R-42 for Production (A·9f3c2e1)", request.public_id, "/releases/R-42/")
    ]
    assert waiting[0].facts == ("2 teams", "needs 1 more approval")
    assert waiting[0].due_at == request.expires_at
    assert len(inbox.waiting_for(world.cleo)) == 2
    assert [each.ref for each in inbox.waiting_for(world.ben)] != [request.public_id]
    assert inbox.waiting_for(world.rita) == []


def test_the_inbox_costs_the_same_however_many_requests_wait(
    world: World, django_assert_max_num_queries: Any
) -> None:
    ask(world)
    with django_assert_max_num_queries(12, connection=connection) as one:
        inbox.waiting_for(world.ana)
    wrote = [(world.cleo, "wrote it")]
    more = [ask(world, subject_id=50 + number, exclusions=wrote) for number in range(4)]
    decide(world.ben, more[0])
    with django_assert_max_num_queries(len(one) + 2, connection=connection):
        assert len(inbox.waiting_for(world.ana)) == 5


def test_requests_counted_together_stand_as_each_does_alone(world: World) -> None:
    asked = [
        ask(world),
        ask(world, subject_id=43, exclusions=[(world.ana, "wrote it")]),
        ask(world, subject_id=44, unmapped=[("who@elsewhere.example", "Who")]),
    ]
    decide(world.ben, asked[0])
    now, rows = database_now(), [fresh(request) for request in asked]
    assert approvals.progress_of(rows, now=now) == [
        approvals.progress(row, now=now) for row in rows
    ]


def test_every_countable_role_belongs_to_the_installation() -> None:
    assert set(ApprovalState) > {"open"}
    assert {str(role) for role in COUNTABLE_ROLES} == {
        "release_manager",
        "board_member",
        "security_approver",
        "emergency_approver",
        "admin",
        "auditor",
    }
