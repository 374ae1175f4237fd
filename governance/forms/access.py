"""Forms around the second factor, standing in, service accounts, and access on a given day."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from governance import tokens
from governance.forms.accounts import ProofForm, code_field
from governance.models import Policy, Team, User
from governance.services.serviceaccounts import DAYS_MAX
from governance.states import PersonKind, Role


class ConfirmFactorForm(forms.Form):
    """The first code of a new second factor."""

    code = code_field("Code that the app shows now")


class EmailForm(ProofForm):
    """A new address to sign in with."""

    new_email = forms.CharField(
        label="New e-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text="A link goes there; with it you choose a new password.",
    )
    reason = forms.CharField(label="Reason", max_length=300)


class DelegationForm(ProofForm):
    """Who stands in, as what, and from when until when: it makes a decider, so it asks again."""

    deputy_id = forms.TypedChoiceField(label="Who decides for you", coerce=int)
    role = forms.ChoiceField(label="As what", widget=forms.RadioSelect)
    first_day = forms.DateField(
        label="From", widget=forms.DateInput(attrs={"type": "date"}), help_text="0:00, your time."
    )
    last_day = forms.DateField(
        label="Until the end of", widget=forms.DateInput(attrs={"type": "date"})
    )
    reason = forms.CharField(label="Reason", max_length=200, initial="holiday")

    def __init__(self, *args: Any, user: User, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(is_active=True, kind=PersonKind.PERSON).exclude(pk=user.pk)
        self.fields["deputy_id"].choices = [  # type: ignore[attr-defined]
            ("", "Choose somebody"),
            *(
                (each.pk, f"{each.full_name} · {each.email}")
                for each in people.order_by("full_name")
            ),
        ]
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role, role.title.capitalize()) for role in roles
        ]
        if len(roles) == 1:
            self.fields["role"].initial = roles[0]

    def clean(self) -> dict[str, Any]:
        """Turn two days into two moments of the person's own zone."""
        cleaned = super().clean() or {}
        first, last = cleaned.pop("first_day", None), cleaned.pop("last_day", None)
        if first and last:
            zone = timezone.get_current_timezone()
            cleaned["starts_at"] = datetime.combine(first, time.min, zone)
            cleaned["ends_at"] = datetime.combine(last, time.max, zone)
        return cleaned


class ServiceForm(forms.Form):
    """A new service account."""

    full_name = forms.CharField(
        label="Name",
        max_length=150,
        widget=forms.TextInput(attrs={"autofocus": True}),
        help_text="What it is, such as “Jenkins of Sales”.",
    )


class TokenForm(forms.Form):
    """A new token of a service account."""

    label = forms.CharField(
        label="Name", max_length=80, help_text="Where it is kept, such as “Jenkins credentials”."
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        widget=forms.CheckboxSelectMultiple,
        choices=[(scope, f"{words} ({scope})") for scope, words in tokens.SCOPES.items()],
    )
    team_ids = forms.TypedMultipleChoiceField(
        label="In which teams",
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: in every team.",
    )
    days = forms.IntegerField(label="Days until it expires", min_value=1, max_value=DAYS_MAX)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.filter(retired_at=None)
        self.fields["team_ids"].choices = [(team.pk, team.name) for team in teams]  # type: ignore[attr-defined]


class AccessForm(forms.Form):
    """A policy and a day."""

    policy = forms.ModelChoiceField(
        label="Policy", queryset=Policy.objects.order_by("name"), empty_label=None, required=False
    )
    day = forms.DateField(
        label="Day", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
