"""Forms of what the board decides about people."""

from __future__ import annotations

from typing import Any

from django import forms

from governance.forms.decisions import AnswerForm
from governance.forms.people import ROLE_HINTS
from governance.states import ResetWhat, Role


class SeatForm(forms.Form):
    """Which seat somebody is put up for, and why."""

    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect)
    reason = forms.CharField(
        label="Reason", max_length=300, help_text="The board and the history read it."
    )

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role, f"{role.title.capitalize()}: {ROLE_HINTS[role]}") for role in roles
        ]


class ResetForm(forms.Form):
    """What of an account is reset, and why."""

    what = forms.ChoiceField(
        label="What",
        widget=forms.RadioSelect,
        choices=[(what, what.title.capitalize()) for what in ResetWhat],
    )
    new_email = forms.CharField(
        label="New e-mail address",
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text="Only for a new e-mail address; the link goes there.",
    )
    reason = forms.CharField(
        label="Reason", max_length=300, help_text="The board and the history read it."
    )


class MatterForm(AnswerForm):
    """One person's answer to a matter of the board."""


class StopForm(forms.Form):
    """Why a matter is stopped."""

    reason = forms.CharField(label="Reason", max_length=300)


def seat_roles(governed: frozenset[Role]) -> list[Role]:
    """The governed roles in the order of all roles."""
    return [role for role in Role if role in governed]
