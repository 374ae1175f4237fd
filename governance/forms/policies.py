"""Forms of policies."""

from __future__ import annotations

from typing import Any

from django import forms

from governance.forms.accounts import password_field
from governance.rules.policy import (
    COUNTABLE_ROLES,
    EXPIRES_HOURS_MAX,
    QUORUM_MAX,
    TEST_LEVELS,
    PolicyRules,
)


class PolicyForm(forms.Form):
    """What a version of a policy says."""

    quorum = forms.IntegerField(
        label="Approvals needed",
        min_value=0,
        max_value=QUORUM_MAX,
        help_text="How many different people must approve. 0 means nobody is asked.",
    )
    roles = forms.MultipleChoiceField(
        label="Whose approval counts",
        required=False,
        choices=[(role, role.title.capitalize()) for role in COUNTABLE_ROLES],
        widget=forms.CheckboxSelectMultiple,
    )
    expires_hours = forms.IntegerField(
        label="An approval lasts (hours)", min_value=1, max_value=EXPIRES_HOURS_MAX
    )
    test_level = forms.ChoiceField(
        label="Tests of a deployment",
        choices=[(level, f"{level}: {words}") for level, words in TEST_LEVELS.items()],
    )
    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Whoever confirms reads it, and the history keeps it.",
    )

    @classmethod
    def of(cls, rules: PolicyRules | None, data: Any = None) -> PolicyForm:
        """Make the form with the values of the version in force."""
        return cls(data, initial=rules.body() if rules else {"expires_hours": 168})

    def body(self) -> dict[str, Any]:
        """Return what was typed as a policy's body."""
        return {name: self.cleaned_data[name] for name in self.fields if name in BODY_FIELDS}


BODY_FIELDS = ("quorum", "roles", "expires_hours", "test_level")


class NewPolicyForm(PolicyForm):
    """A policy's name and its first version."""

    name = forms.CharField(label="Name", max_length=80)

    field_order = ("name", "quorum", "roles", "expires_hours", "test_level", "reason")


class ConfirmForm(forms.Form):
    """The password, asked again when the last sign-in is a while ago."""

    password = password_field(
        "Your password",
        "current-password",
        error_messages={"required": "Enter your password to decide."},
        help_text="Your sign-in is a while ago; a decision asks again.",
    )

    def __init__(self, *args: Any, asks_password: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks_password:
            del self.fields["password"]

    @property
    def typed(self) -> str:
        """The password as typed, "" when none was asked."""
        return str(self.cleaned_data.get("password", ""))
