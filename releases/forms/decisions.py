"""The decision of one person on exactly what a page showed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.utils import ErrorDict

from governance.forms.accounts import proof_field
from governance.states import Verdict


class DecisionForm(forms.Form):
    """Approve or reject; carries the digest and the facts (policy version among them) displayed."""

    shown_digest = forms.CharField(max_length=71, widget=forms.HiddenInput)
    shown_facts = forms.JSONField(required=False, widget=forms.HiddenInput)
    comment = forms.CharField(
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed to reject. Everybody who reads the history sees it.",
    )

    def __init__(self, *args: Any, asked: str = "password", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if asked:
            self.fields["password"] = proof_field(asked)

    @property
    def verdict(self) -> str:
        """Which of the two buttons was pressed; empty for none."""
        pressed = str(self.data.get("verdict", ""))
        return pressed if pressed in set(Verdict) else ""

    def clean(self) -> dict[str, Any]:
        """A rejection says why; a decision says which."""
        cleaned = super().clean() or self.cleaned_data
        if not self.verdict:
            raise forms.ValidationError("Press Approve or Reject.", code="approval.verdict")
        if self.verdict == Verdict.REJECT and not cleaned.get("comment", "").strip():
            self.add_error("comment", "Say why you reject it, so that it can be mended.")
        return cleaned

    def carry_errors(self, sent: DecisionForm) -> None:
        """Show the errors of a form that was sent on this one, which asks about today's subject.

        Hidden values are never taken over: the next answer is about what this page shows.
        """
        self._errors = ErrorDict(
            {
                name: errors
                for name, errors in sent.errors.items()
                if name in self.fields or name == "__all__"
            }
        )

    @property
    def facts_shown(self) -> dict[str, str]:
        """What the page told the person, by label; anything malformed counts as nothing."""
        facts = self.cleaned_data.get("shown_facts") if hasattr(self, "cleaned_data") else None
        if not isinstance(facts, dict):
            return {}
        return {str(label): str(text)[:300] for label, text in list(facts.items())[:20]}
