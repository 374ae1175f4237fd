"""The decision of one person on exactly what a page showed."""

from __future__ import annotations

from django import forms
from django.forms.utils import ErrorDict

from governance.forms.decisions import AnswerForm


class DecisionForm(AnswerForm):
    """Carries the facts (policy version among them) that the page showed as well."""

    shown_facts = forms.JSONField(required=False, widget=forms.HiddenInput)

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
