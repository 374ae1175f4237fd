"""Forms of teams and people."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from governance.models import Team, User
from governance.permissions import Standing
from governance.states import INSTALLATION_ROLES, TEAM_ROLES, PersonKind, Role

ROLE_HINTS: dict[Role, str] = {
    Role.DEVELOPER: "builds, picks tags and tests them",
    Role.TEAM_LEAD: "also connects the repository, offers candidates, adds developers",
    Role.RELEASE_MANAGER: "composes releases and asks for approval",
    Role.BOARD_MEMBER: "decides what goes to production",
    Role.SECURITY_APPROVER: "decides where a policy asks for a second look at security",
    Role.EMERGENCY_APPROVER: "decides when production is broken and the normal way is too slow",
    Role.ADMIN: "manages teams, people and environments; decides nothing",
    Role.AUDITOR: "reads everything, changes nothing",
}


class TeamForm(forms.Form):
    """A new team."""

    name = forms.CharField(
        label="Name", max_length=80, widget=forms.TextInput(attrs={"autofocus": True})
    )
    slug = forms.CharField(
        label="Short name in addresses",
        max_length=50,
        required=False,
        help_text="Lower-case letters, digits and hyphens; made from the name when left empty. "
        "It never changes.",
    )


class TeamNameForm(forms.Form):
    """Another name for a team."""

    name = forms.CharField(label="Name", max_length=80)


class MemberForm(forms.Form):
    """A person and a role."""

    user_id = forms.TypedChoiceField(label="Person", coerce=int)
    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect)
    ends_at = forms.DateField(
        label="Until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="For auditors only: the last day. Empty: 90 days.",
    )

    def clean_ends_at(self) -> datetime | None:
        """The end of the last day in the person's zone."""
        day: date | None = self.cleaned_data["ends_at"]
        if day is None:
            return None
        zone = timezone.get_current_timezone()
        return datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)

    def __init__(self, *args: Any, team: Team, standing: Standing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(is_active=True, kind=PersonKind.PERSON).order_by("full_name")
        self.fields["user_id"].choices = [  # type: ignore[attr-defined]
            ("", "Choose somebody"),
            *((user.pk, f"{user.full_name} · {user.email}") for user in people),
        ]
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role, f"{role.title.capitalize()}: {ROLE_HINTS[role]}")
            for role in grantable(team, standing)
        ]


def grantable(team: Team, standing: Standing) -> list[Role]:
    """List the roles that a person may give in a team."""
    possible = TEAM_ROLES | INSTALLATION_ROLES if team.owns_production else TEAM_ROLES
    return [role for role in Role if role in possible and standing.can(f"member.{role}", team)]


class InviteForm(forms.Form):
    """Somebody who has no account yet."""

    full_name = forms.CharField(
        label="Name", max_length=150, widget=forms.TextInput(attrs={"autofocus": True})
    )
    email = forms.CharField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text="A link to choose a password goes there; it works once, for seven days.",
    )


class DeactivateForm(forms.Form):
    """Why an account is closed."""

    reason = forms.CharField(
        label="Reason", max_length=300, help_text="Everybody who reads the history sees it."
    )


class IdentityForm(forms.Form):
    """Whose a Git address is."""

    email = forms.CharField(
        label="Address in commits",
        max_length=254,
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    user_id = forms.TypedChoiceField(
        label="Person",
        coerce=int,
        help_text="The person may then not decide on releases with these commits.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.order_by("full_name")
        self.fields["user_id"].choices = [  # type: ignore[attr-defined]
            ("", "Choose somebody"),
            *((user.pk, f"{user.full_name} · {user.email}") for user in people),
        ]


class SamePersonForm(forms.Form):
    """Whose other account an account is, and how somebody knows."""

    same_as_id = forms.TypedChoiceField(
        label="The account with which the person decides",
        coerce=int,
        help_text="What keeps one of the two accounts from deciding then keeps both.",
    )
    reason = forms.CharField(
        label="Reason", max_length=300, help_text="Everybody who reads the history sees it."
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        firsts = User.objects.filter(kind=PersonKind.PERSON, same_as=None).exclude(pk=person.pk)
        self.fields["same_as_id"].choices = [  # type: ignore[attr-defined]
            ("", "Choose an account"),
            *(
                (user.pk, f"{user.full_name} · {user.email}")
                for user in firsts.order_by("full_name")
            ),
        ]
