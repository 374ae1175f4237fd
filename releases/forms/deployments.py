"""Forms of a deployment."""

from __future__ import annotations

from django import forms

from releases.states import StepState


class SettleForm(forms.Form):
    """How a deployment ended that nobody knows about, as a person found out in the org."""

    outcome = forms.ChoiceField(
        label="How it ended",
        choices=[
            (StepState.SUCCEEDED.value, "It succeeded: the org holds the artefact"),
            (StepState.FAILED.value, "It failed: the org kept nothing of it"),
        ],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="How you found out",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For instance the id and state on the org's Deployment Status page. "
        "The history keeps it.",
    )
