"""One person's answer to a question that a page put: approve or reject exactly what was shown."""

from __future__ import annotations

from typing import Any, TypedDict

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.forms.accounts import ProofForm
from governance.states import Verdict


class Given(TypedDict):
    """What the services that take decisions are told."""

    verdict: str
    comment: str
    shown_digest: str


class AnswerForm(ProofForm):
    """Approve or reject; carries the digest that the page showed."""

    shown_digest = forms.CharField(max_length=71, widget=forms.HiddenInput)
    comment = forms.CharField(
        label=_("Comment"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed to reject. Everybody who reads the history sees it."),
    )

    @property
    def verdict(self) -> str:
        """Which of the two buttons was pressed; empty for none."""
        pressed = str(self.data.get("verdict", ""))
        return pressed if pressed in set(Verdict) else ""

    @property
    def given(self) -> Given:
        """The answer of a valid form."""
        return Given(
            verdict=self.verdict,
            comment=self.cleaned_data["comment"],
            shown_digest=self.cleaned_data["shown_digest"],
        )

    def clean(self) -> dict[str, Any]:
        """A decision says which, and a rejection why."""
        cleaned = super().clean() or self.cleaned_data
        if not self.verdict:
            raise forms.ValidationError(_("Press Approve or Reject."), code="approval.verdict")
        if self.verdict == Verdict.REJECT and not cleaned.get("comment", "").strip():
            self.add_error("comment", _("Say why you reject it, so that it can be mended."))
        return cleaned
