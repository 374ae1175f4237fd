"""Forms of what the board decides about people."""

from __future__ import annotations

from typing import Any

from django import forms

from governance.forms.accounts import proof_field
from governance.forms.people import ROLE_HINTS
from governance.states import ResetWhat, Role, Verdict


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


class MatterForm(forms.Form):
    """A decision on exactly what the page showed."""

    shown_digest = forms.CharField(max_length=71, widget=forms.HiddenInput)
    comment = forms.CharField(
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed to reject. Everybody who reads the history sees it.",
    )

    def __init__(self, *args: Any, asked: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if asked:
            self.fields["password"] = proof_field(asked)

    @property
    def proof(self) -> str:
        """The password or code as typed, "" when none was asked."""
        return str(self.cleaned_data.get("password", ""))

    def clean(self) -> dict[str, Any]:
        """A decision says which; a rejection says why."""
        cleaned = super().clean() or self.cleaned_data
        verdict = str(self.data.get("verdict", ""))
        if verdict not in set(Verdict):
            raise forms.ValidationError("Press Approve or Reject.", code="approval.verdict")
        if verdict == Verdict.REJECT and not cleaned.get("comment", "").strip():
            self.add_error("comment", "Say why you reject it.")
        cleaned["verdict"] = verdict
        return cleaned


class StopForm(forms.Form):
    """Why a matter is stopped."""

    reason = forms.CharField(label="Reason", max_length=300)


def seat_roles(governed: frozenset[Role]) -> list[Role]:
    """The governed roles in the order of all roles."""
    return [role for role in Role if role in governed]
