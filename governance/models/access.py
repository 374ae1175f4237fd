"""How people and programs prove who they are beyond a password, and who stands in for whom."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.fields.ranges import RangeBoundary
from django.db import models

from core.fields import one_of
from core.models import Entity
from governance.models.people import User
from governance.states import Role


class SecondFactor(models.Model):
    """A person's secret for one-time codes, encrypted. Only web may read this table.

    ``last_step`` is the time step of the last code that was taken: no code works twice.
    """

    user = models.OneToOneField(
        User, on_delete=models.PROTECT, primary_key=True, related_name="second_factor"
    )
    secret = models.TextField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"


class RecoveryCode(models.Model):
    """A code that works once instead of the second factor. Only its hash is kept."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="recovery_codes")
    hash = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class ApiToken(Entity):
    """A key of a service account. Only its hash is kept; the prefix finds it.

    ``scopes`` are what it may do, ``team_ids`` in which teams (none named: in every team).
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tokens")
    label = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    hash = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=40))
    team_ids = ArrayField(models.BigIntegerField(), default=list)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="api_token_has_a_life",
            ),
            models.CheckConstraint(
                condition=models.Q(scopes__len__gte=1), name="api_token_has_a_scope"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.prefix}…)"


class Period(models.Func):
    """A range of time without its end, as SQL makes it of two columns."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Delegation(Entity):
    """Somebody decides in the place of a holder of a role, from one moment until another.

    Written once; it can only be ended before its time. The guards are in SQL: the delegator holds
    the role himself, the deputy does not, and nobody passes on what was passed to him.
    """

    delegator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="given_delegations")
    deputy = models.ForeignKey(User, on_delete=models.PROTECT, related_name="held_delegations")
    role = models.CharField(max_length=20)
    reason = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        ordering: ClassVar = ["-starts_at", "-id"]
        constraints: ClassVar = [
            one_of("role", Role, "delegation_role_is_known"),
            models.CheckConstraint(
                condition=~models.Q(delegator=models.F("deputy")),
                name="delegation_is_to_another",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="delegation_has_a_life",
            ),
            ExclusionConstraint(
                name="delegation_one_deputy_per_seat",
                expressions=[
                    ("delegator", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (
                        Period("starts_at", "ends_at", RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=models.Q(ended_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deputy_id} for {self.delegator_id} as {self.role}"

    @property
    def title(self) -> str:
        """The role in words."""
        return Role(self.role).title
