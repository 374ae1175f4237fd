"""Forms around signing in and one's own account."""

from __future__ import annotations

from typing import Any

from django import forms

from core.forms import ZoneField
from governance.models import User


def password_field(label: str, autocomplete: str, **kwargs: Any) -> forms.CharField:
    """Make a password field; nothing typed is trimmed or shown again."""
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=1024, widget=widget, **kwargs)


class SignInForm(forms.Form):
    """E-mail address and password."""

    email = forms.CharField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = password_field("Password", "current-password")


def code_field(label: str = "Code", **kwargs: Any) -> forms.CharField:
    """Make a field for a one-time or a recovery code."""
    widget = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text"})
    return forms.CharField(label=label, max_length=40, widget=widget, **kwargs)


def proof_field(asked: str) -> forms.CharField:
    """Make the field with which a decision asks again who it is: ``stepup.proof_asked`` says what.

    It is called ``password`` in every form, whichever of the two it takes.
    """
    if asked == "code":
        return code_field(
            "Code of your second factor",
            help_text="Your last code is a while ago; a decision asks again.",
            error_messages={"required": "Type a code of your authenticator app to decide."},
        )
    return password_field(
        "Your password",
        "current-password",
        help_text="Your sign-in is a while ago; a decision asks again.",
        error_messages={"required": "Type your password to decide."},
    )


class ProofForm(forms.Form):
    """The proof of who it is; ``asked`` is what ``stepup.proof_asked`` says, "" for none."""

    def __init__(self, *args: Any, asked: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if asked:
            self.fields["password"] = proof_field(asked)

    @property
    def proof(self) -> str:
        """The password or code as typed, "" when none was asked."""
        return str(self.cleaned_data.get("password", ""))


class CodeForm(forms.Form):
    """A code of the second factor at sign-in."""

    password = code_field(
        help_text="Six digits from your authenticator app, or one of your recovery codes."
    )


class ForgottenForm(forms.Form):
    """The address of somebody who forgot the password."""

    email = forms.CharField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class JoinForm(forms.Form):
    """The first password, typed twice."""

    password = password_field(
        "Choose a password", "new-password", help_text="At least 12 characters; longer is better."
    )
    again = password_field("The same password again", "new-password")

    def clean(self) -> dict[str, Any]:
        """Refuse two different passwords."""
        cleaned = super().clean() or {}
        _check_same(self, cleaned.get("password"), cleaned.pop("again", None))
        return cleaned


class AccountForm(forms.Form):
    """Name and time zone."""

    full_name = forms.CharField(label="Name", max_length=150)
    zone = ZoneField(label="Time zone", help_text="All times are shown in this zone.")

    @classmethod
    def of(cls, user: User, data: Any = None) -> AccountForm:
        """Make the form with the person's present values."""
        return cls(data, initial={"full_name": user.full_name, "zone": user.zone})


class PasswordForm(forms.Form):
    """The old password and the new one, typed twice."""

    password = password_field("Present password", "current-password")
    new_password = password_field(
        "New password", "new-password", help_text="At least 12 characters."
    )
    again = password_field("New password again", "new-password")

    def clean(self) -> dict[str, Any]:
        """Refuse two different passwords."""
        cleaned = super().clean() or {}
        _check_same(self, cleaned.get("new_password"), cleaned.pop("again", None))
        return cleaned


def _check_same(form: forms.Form, first: str | None, second: str | None) -> None:
    if first and second and first != second:
        form.add_error("again", "The two passwords differ. Type the same one twice.")
