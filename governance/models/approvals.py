"""Approval requests and the decisions on them.

A request binds a question to a subject digest and a policy version; both columns never change.
Decisions and withdrawals are rows that are only ever added.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from core.fields import DigestField, one_of
from core.models import Entity
from governance.models.people import User
from governance.models.policies import PolicyVersion
from governance.states import LIVE_APPROVALS, ApprovalState, Role, Verdict

LIVE = sorted(str(state) for state in LIVE_APPROVALS)


class ApprovalRequest(Entity):
    """The question put to people about one subject, named by kind and id."""

    PREFIX = "A"

    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    digest = DigestField()
    policy_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, related_name="requests"
    )
    requester = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, default=ApprovalState.OPEN)
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)
    label = models.CharField(max_length=200)
    url = models.CharField(max_length=300)
    related = ArrayField(models.TextField(), default=list)
    # Risk marks of the subject: they decide which of the policy's rules hold.
    marks = ArrayField(models.TextField(), default=list)
    # A second policy body that must hold too: the new one, where old and new decide together.
    also_body = models.JSONField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            one_of("state", ApprovalState, "approval_request_state_is_known"),
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"],
                condition=models.Q(state__in=LIVE),
                name="approval_request_one_is_live",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("opened_at")),
                name="approval_request_has_a_life",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=LIVE, closed_at=None)
                | (~models.Q(state__in=LIVE) & models.Q(closed_at__isnull=False)),
                name="approval_request_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        """Return the page that asks the question; it belongs to the app that owns the subject."""
        return self.url

    @property
    def is_live(self) -> bool:
        """Tell whether decisions are still taken and count."""
        return self.state in LIVE_APPROVALS


class Exclusion(models.Model):
    """Somebody who may not decide on this request, with the reason in words."""

    id = models.BigAutoField(primary_key=True)
    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="exclusions"
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "user"], name="exclusion_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.reason}"


class UnmappedIdentity(models.Model):
    """An author in the commits whom nobody has matched with a person; blocks until mapped."""

    id = models.BigAutoField(primary_key=True)
    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="unmapped")
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "email"], name="unmapped_identity_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class Decision(Entity):
    """One person's answer, bound to the digest that was shown. Append-only by trigger."""

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="decisions")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="decisions")
    digest = DigestField()
    # The policy under which it was given, written and held to the request's by the database.
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    policy_digest = DigestField()
    verdict = models.CharField(max_length=8)
    comment = models.TextField(blank=True)
    role = models.CharField(max_length=20)
    decided_at = models.DateTimeField()
    auth_strength = models.CharField(max_length=20)
    # For decisions signed with the approver's own key; see docs/threat-model.md.
    signature = models.BinaryField(null=True)
    signing_key = models.TextField(null=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "person"], name="decision_one_per_person"),
            one_of("verdict", Verdict, "decision_verdict_is_known"),
            one_of("role", Role, "decision_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.verdict} {self.request_id}"


class Withdrawal(models.Model):
    """Takes a decision back. Append-only by trigger."""

    decision = models.OneToOneField(
        Decision, on_delete=models.PROTECT, primary_key=True, related_name="withdrawal"
    )
    at = models.DateTimeField()
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"withdrawal of {self.decision_id}"
