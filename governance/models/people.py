"""People, teams and memberships."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.crypto import salted_hmac

from core import clock
from core.fields import one_of
from core.models import Entity
from governance.rules.addresses import written
from governance.states import InvitationPurpose, PersonKind, Role


def validate_zone(name: str) -> None:
    """Refuse a name that is not an IANA time zone."""
    if name not in available_timezones():
        raise ValidationError("“%(name)s” is not a known time zone.", params={"name": name})


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Find the person who signs in with this address."""
        return self.get(email=written(username or ""))


class User(AbstractBaseUser, Entity):
    """Somebody, or a service account. There is no superuser: rights come from memberships only."""

    email = models.EmailField(max_length=254, unique=True)
    full_name = models.CharField(max_length=150)
    is_active = models.BooleanField(default=True)
    zone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    kind = models.CharField(max_length=10, default=PersonKind.PERSON)
    # When the account was last given back by a reset: what it holds counts from then on only.
    reset_at = models.DateTimeField(null=True, blank=True)
    # Whose other account this is: one human, one approval, which is given with the first account.
    same_as = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="other_accounts", null=True, blank=True
    )

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=models.Q(email__regex=r"^[!-~]+$"), name="user_email_has_no_look_alikes"
            ),
            models.CheckConstraint(
                condition=models.Q(same_as=None) | ~models.Q(same_as=models.F("pk")),
                name="user_is_not_their_own_other_account",
            ),
            one_of("kind", PersonKind, "user_kind_is_known"),
        ]

    def __str__(self) -> str:
        return self.full_name

    def get_absolute_url(self) -> str:
        """Return the person's page."""
        return reverse("governance:person", kwargs={"pk": self.pk})

    def get_full_name(self) -> str:
        """Return the name that stands in sentences."""
        return self.full_name

    def get_short_name(self) -> str:
        """Return the name that stands in the top bar."""
        return self.full_name.partition(" ")[0]

    @property
    def audit_label(self) -> str:
        """Name the person in history."""
        return self.full_name

    # The hash lies in its own table, because only the web process may read it: workers look
    # people up too. This property hides the column of Django's abstract model.
    @property
    def password(self) -> str:
        """The password's hash; an unusable one when none was ever set."""
        if self._new_hash is None:
            found = Password.objects.filter(user_id=self.pk).values_list("hash", flat=True).first()
            return found or "!"
        return self._new_hash

    @password.setter
    def password(self, value: str) -> None:
        self._new_hash = value

    _new_hash: str | None = None

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Bind sessions to the password and to the number of times they were all ended."""
        stored = Password.objects.filter(user_id=self.pk).values_list("hash", "epoch").first()
        return salted_hmac(
            "governance.User.session", f"{stored}", secret=secret, algorithm="sha256"
        ).hexdigest()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the person, and the password when a new one was set (Django saves both at once)."""
        fields = kwargs.get("update_fields")
        if fields is not None:
            kwargs["update_fields"] = [name for name in fields if name != "password"]
        super().save(*args, **kwargs)
        if self._new_hash is not None:
            Password.objects.update_or_create(
                user=self, defaults={"hash": self._new_hash, "changed_at": clock.now()}
            )
            self._new_hash = None


class Password(models.Model):
    """A person's password hash. Only web may read this table."""

    user = models.OneToOneField(
        User, on_delete=models.PROTECT, primary_key=True, related_name="stored_password"
    )
    hash = models.CharField(max_length=256)
    changed_at = models.DateTimeField()
    # Raised to end every session of the person, for instance with a new second factor.
    epoch = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"password of {self.user_id}"


class Team(Entity):
    """People with one repository and one track; exactly one team owns production."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=80)
    owns_production = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-owns_production", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), name="team_name_is_unique"),
            models.UniqueConstraint(
                fields=["owns_production"],
                condition=models.Q(owns_production=True),
                name="team_one_owns_production",
            ),
            models.CheckConstraint(
                condition=models.Q(owns_production=False) | models.Q(retired_at=None),
                name="team_owner_of_production_stays",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the team's page."""
        return reverse("governance:team", kwargs={"slug": self.slug})

    @property
    def audit_ref(self) -> str:
        """Name the team in history by its slug, which never changes."""
        return f"team:{self.slug}"

    @property
    def audit_label(self) -> str:
        """Write the team in a sentence."""
        return self.name


class Membership(Entity):
    """A person's role in a team, from a moment until revoked."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20)
    granted_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    granted_at = models.DateTimeField(default=clock.now)
    revoked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    # An auditor's role ends by itself; a role that others count on never does.
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(role=Role.AUDITOR.value),
                name="membership_only_auditors_end",
            ),
            models.UniqueConstraint(
                fields=["user", "team", "role"],
                condition=models.Q(revoked_at=None),
                name="membership_live_is_unique",
            ),
            one_of("role", Role, "membership_role_is_known"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["team", "role"],
                condition=models.Q(revoked_at=None),
                name="membership_live_by_team",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} of {self.team_id}"

    @property
    def title(self) -> str:
        """The role in words."""
        return Role(self.role).title


class GitIdentity(Entity):
    """Says whose an address in Git commits is."""

    email = models.EmailField(max_length=254)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="git_identities")
    mapped_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(ended_at=None),
                name="git_identity_live_is_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="git_identity_email_is_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return self.email


class Invitation(Entity):
    """A one-time link with which somebody sets the first password. Only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="invitations")
    purpose = models.CharField(max_length=10)
    token_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    works_from = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    # A reset that the board approved, or what an admin or the person asked for.
    matter = models.ForeignKey(
        "governance.Matter", on_delete=models.PROTECT, related_name="links", null=True, blank=True
    )
    what = models.CharField(max_length=20, blank=True)
    new_email = models.EmailField(max_length=254, blank=True)

    class Meta:
        constraints: ClassVar = [
            one_of("purpose", InvitationPurpose, "invitation_purpose_is_known")
        ]

    def __str__(self) -> str:
        return f"invitation of {self.user_id}"


class SignInFailure(models.Model):
    """A failed sign-in, kept for as long as it counts against the next try."""

    id = models.BigAutoField(primary_key=True)
    account = models.CharField(max_length=254)
    address = models.CharField(max_length=45)
    failed_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["account", "failed_at"], name="sign_in_by_account"),
            models.Index(fields=["address", "failed_at"], name="sign_in_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.account} from {self.address}"
