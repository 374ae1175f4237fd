"""Policies: the rules of an environment, in versions that never change."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from core import clock
from core.composed import Composed, Given, Question
from core.fields import DigestField, one_of
from core.models import Entity
from governance.models.people import User
from governance.states import ProposalState


class Policy(Entity):
    """A named rule set. Without a version it allows nothing.

    One policy also governs the release board's own acts: who gets a seat, which policy an
    environment has, the lifting of a freeze.
    """

    PREFIX = "P"

    name = models.CharField(max_length=80)
    governs_board = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True, blank=True)
    # Made before any version was in force, so that its first may come without a question. Written
    # by the database alone.
    founding = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), name="policy_name_is_unique"),
            models.UniqueConstraint(
                fields=["governs_board"],
                condition=models.Q(governs_board=True),
                name="policy_one_governs_the_board",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the policy's page."""
        return reverse("governance:policy", kwargs={"pk": self.pk})

    @property
    def current(self) -> PolicyVersion | None:
        """The version in force: the newest; None before the first was confirmed."""
        found: list[PolicyVersion] = self.foreseen().answer()
        if not found:
            return None
        found[0].policy = self
        return found[0]

    def foreseen(self) -> Question:
        """Return what ``current`` will ask."""
        return _NEWEST.asked(policy=self.pk)


_NEWEST = Composed(
    lambda: PolicyVersion.objects.filter(policy=Given("policy", "bigint")).order_by("-number")[:1]
)


class PolicyVersion(Entity):
    """One version, in force from ``published_at`` until the next. Append-only by trigger."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    body = models.JSONField()
    digest = DigestField()
    published_at = models.DateTimeField(default=clock.now)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # Who gave the last approval; while founding, who confirmed it.
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # The question that people decided on; None for versions of the founding.
    request = models.OneToOneField(
        "governance.ApprovalRequest",
        on_delete=models.PROTECT,
        related_name="published",
        null=True,
        blank=True,
    )

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["policy", "number"], name="policy_version_number_is_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(number__gte=1), name="policy_version_starts_at_one"
            ),
            models.CheckConstraint(
                condition=~models.Q(proposed_by=models.F("confirmed_by")),
                name="policy_version_has_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} v{self.number}"

    def get_absolute_url(self) -> str:
        """Return the place of this version on the policy's page."""
        return f"{self.policy.get_absolute_url()}#v{self.number}"


class PolicyProposal(Entity):
    """A version that somebody proposed and others decide on."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="proposals")
    based_on = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    body = models.JSONField()
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=12, default=ProposalState.OPEN)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    closed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            one_of("state", ProposalState, "policy_proposal_state_is_known"),
            models.UniqueConstraint(
                fields=["policy"],
                condition=models.Q(state="open"),
                name="policy_proposal_one_is_open",
            ),
        ]

    def __str__(self) -> str:
        return f"proposal for {self.policy}"

    def get_absolute_url(self) -> str:
        """Return the page that asks about it."""
        keys = {"pk": self.policy_id, "proposal_id": self.pk}
        return reverse("governance:policy_proposal", kwargs=keys)
