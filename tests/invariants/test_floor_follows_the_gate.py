"""Property: whatever the gate allows, the floor allows; and of the people it counts the same.

Each example is one transaction that is rolled back: a policy, people with roles given and revoked,
decisions for and against, taken back, authors found out later.
"""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import Any

from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from core.digests import digest_json
from core.errors import DomainError
from governance import approvals
from governance.models import ApprovalRequest, Membership, Policy, PolicyVersion, User
from tests.support import cover
from tests.support.company import Company
from tests.support.cover import asked, refusal
from tests.support.databases import as_role

VOTERS = ("ana", "ben", "jonas", "paul", "ines")
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.integers(1, 3),
            "roles": st.lists(
                st.sampled_from(["board_member", "admin", "auditor"]),
                min_size=1,
                max_size=2,
                unique=True,
            ),
            "team": st.sampled_from([None, None, "platform", "sales"]),
            "when": st.sampled_from(["always", "always", "permissions", "destructive"]),
        }
    ),
    max_size=3,
)
CASES = st.fixed_dictionaries(
    {
        "rules": RULES,
        "also": st.none() | RULES,
        "marks": st.sampled_from([(), ("permissions",), ("permissions", "destructive")]),
        "votes": st.dictionaries(
            st.sampled_from(VOTERS),
            st.sampled_from(["approve", "approve", "approve", "approve", "reject"]),
        ),
        "withdrawn": st.sets(st.sampled_from(VOTERS), max_size=1),
        "revoked": st.sets(st.sampled_from(VOTERS), max_size=1),
        "closed": st.sets(st.sampled_from(VOTERS), max_size=1),
        "excluded": st.sets(st.sampled_from(VOTERS), max_size=1),
        "unknown": st.booleans(),
    }
)


def body(company: Company, rules: list[dict[str, Any]]) -> dict[str, Any]:
    old = company.policy_version
    assert old is not None
    return {**old.body, "approvals": rules}


def play(company: Company, case: dict[str, Any]) -> cover.Case:
    """Write what the example says, past nobody but the gate."""
    old = company.policy_version
    assert old is not None
    with as_role("owner"):
        example = Policy.objects.create(name="Example")
        company.policy_version = PolicyVersion.objects.create(
            policy=example,
            number=1,
            body=body(company, case["rules"]),
            digest=digest_json(case["rules"]),
            proposed_by=old.proposed_by,
            confirmed_by=old.confirmed_by,
        )
        company.orgs["Production"].policy = example
        company.orgs["Production"].save(update_fields=["policy"])
    also = None if case["also"] is None else body(company, case["also"])
    found = asked(
        company,
        marks=case["marks"],
        also_body=also,
        unmapped=[("who@example.com", "Who")] if case["unknown"] else [],
    )
    for name, verdict in case["votes"].items():
        with suppress(DomainError):
            found.decide(name, verdict)
    for name in case["withdrawn"]:
        with suppress(DomainError):
            found.withdraw(name)
    for name in case["revoked"]:
        rows = Membership.objects.filter(user=company.people[name], revoked_at=None)
        rows.update(revoked_at=company.now)
    for name in case["closed"]:
        User.objects.filter(pk=company.people[name].pk).update(is_active=False)
    for name in case["excluded"]:
        with suppress(DomainError):
            cover.exclude(found, company.people[name])
    return found


def test_the_floor_counts_what_the_gate_counts(founded: Company, db: None) -> None:
    """The people: satisfied in Python exactly when PostgreSQL is."""
    seen: set[bool] = set()

    @settings(max_examples=60)
    @given(CASES)
    def holds(case: dict[str, Any]) -> None:
        with transaction.atomic():
            try:
                found = play(deepcopy(founded), case)
            except DomainError:
                transaction.set_rollback(True)
                return
            request = ApprovalRequest.objects.get(pk=found.request.pk)
            satisfied = approvals.progress(request, current_digest=cover.DIGEST).satisfied
            answer = refusal(found.write)
            transaction.set_rollback(True)
        seen.add(satisfied)
        # Production obeys no policy that asks nobody, which the gate says elsewhere.
        always = any(rule["when"] == "always" for rule in case["rules"])
        assert (answer == "") == (satisfied and always), (satisfied, answer)

    holds()
    assert seen == {True, False}
