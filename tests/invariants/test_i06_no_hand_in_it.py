"""I-6: the requester cannot approve; nor may the author of the commit range, the builder identity,
the uploader of the artefact, or the one who last edited the request; also through group membership,
delegation and API token."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.db.utils import Error as DatabaseError
from django.test import Client
from django.urls import reverse

from core.errors import NotAllowed
from governance import approvals
from governance.models import ApprovalRequest, AuditEvent, Decision, User
from governance.services import people, serviceaccounts
from tests.governance.world import World, acting, ask, decide
from tests.invariants.test_i08_one_human_one_approval import force, lend

Ask = Callable[[World, User], ApprovalRequest]

IDENTITIES: dict[str, str] = {
    "author": "wrote commits as ana@home.example",
    "committer": "committed the merge",
    "builder identity": "built the artefact",
    "uploader": "uploaded the artefact",
    "last editor": "changed the release last",
    "member of a contributing team": "is a member of Sales",
}


def shut_out(world: World, person: User, why: str) -> ApprovalRequest:
    if why == "requester":
        return ask(world, requester=person)
    return ask(world, exclusions=[(person, IDENTITIES[why])])


@pytest.mark.parametrize("why", ["requester", *IDENTITIES])
def test_i06_whoever_had_a_hand_in_it_does_not_decide(world: World, why: str) -> None:
    request = shut_out(world, world.ana, why)
    with pytest.raises(NotAllowed):
        decide(world.ana, request)
    with pytest.raises(DatabaseError, match=r"requester|excluded"):
        force(request, world.ana)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("why", ["requester", *IDENTITIES])
def test_i06_nor_does_a_deputy_in_their_place(world: World, why: str) -> None:
    lend(world, world.ana, world.nils)
    request = shut_out(world, world.ana, why)
    with pytest.raises(NotAllowed) as caught:
        decide(world.nils, request)
    assert caught.value.code in {"approval.delegator_excluded", "approval.excluded"}
    with pytest.raises(DatabaseError):
        force(request, world.nils)


@pytest.mark.parametrize("why", ["requester", *IDENTITIES])
def test_i06_a_deputy_with_a_hand_in_it_does_not_decide_for_anybody(world: World, why: str) -> None:
    lend(world, world.ana, world.nils)
    request = shut_out(world, world.nils, why)
    with pytest.raises(NotAllowed):
        decide(world.nils, request)
    with pytest.raises(DatabaseError):
        force(request, world.nils)


def test_i06_an_author_found_later_takes_the_deputy_s_vote_along(world: World) -> None:
    lend(world, world.ana, world.nils)
    request = ask(world, unmapped=[("ana@home.example", "A. Lima")])
    with acting(world.ana):
        people.map_identity(email="ana@home.example", user_id=world.ana.pk)
    request.refresh_from_db()
    assert not approvals.progress(request).may_decide(world.nils)
    decide(world.ben, request)
    assert approvals.progress(request).outcome.counted == (world.ben.pk,)


def test_i06_an_exclusion_reaches_the_deputy_in_the_database(world: World) -> None:
    """The floor counts decisions without Python: who stands in for an author is excluded there."""
    lend(world, world.ana, world.nils)
    request = ask(world)
    decide(world.nils, request)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO governance_exclusion (request_id, user_id, reason) VALUES (%s, %s, 'x')",
            [request.pk, world.ana.pk],
        )
    assert set(request.exclusions.values_list("user_id", flat=True)) == {
        world.ana.pk,
        world.nils.pk,
    }
    assert approvals.progress(request).outcome.counted == ()


def test_i06_an_api_token_of_the_requester_s_machine_does_not_decide(world: World) -> None:
    with acting(world.ana):
        bot = serviceaccounts.create(full_name="Pipeline")
        whole = serviceaccounts.create_token(
            user_id=bot.pk, label="ci", scopes=["checks:report"], team_ids=[], days=1
        ).whole
        decide_url = reverse("governance:matter_decide", kwargs={"pk": 1})
    response = Client().post(
        decide_url, {"verdict": "approve"}, headers={"Authorization": f"Bearer {whole}"}
    )
    assert response.status_code == 403
    assert AuditEvent.objects.filter(event="security.decision_refused").count() == 1
