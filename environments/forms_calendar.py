"""Forms of the calendar. They check shape only; every rule is the services'.

Times are typed as a clock in the freeze's own zone shows them, so these fields keep them naive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from core.forms import ZoneField
from environments.selectors_calendar import Choice
from environments.services.calendar import NAME_MAX, REASON_MAX, Words
from governance.forms.decisions import AnswerForm


class WallClockField(forms.CharField):
    """A date and a time of day without a zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"})

    def clean(self, value: Any) -> Any:
        """Read ``2026-12-20T18:00``."""
        text = super().clean(value)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is not None or not 2000 <= found.year <= 2200:
            raise forms.ValidationError(
                _("Write a date and a time, like 2026-12-20T18:00."), code="freeze.times"
            )
        return found


class ReasonField(forms.CharField):
    """Why; everybody who is held reads it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Reason"),
            max_length=REASON_MAX,
            widget=forms.Textarea(attrs={"rows": 3}),
            **kwargs,
        )


class FreezeForm(forms.Form):
    """A freeze: what, why, from when to when, and how it comes back."""

    name = forms.CharField(
        label=_("Name"), max_length=NAME_MAX, help_text=_("Short, as in “Year end”.")
    )
    reason = ReasonField(help_text=_("Everybody who is held by it reads this."))
    target = forms.ChoiceField(label=_("What it covers"))
    zone = ZoneField(
        label=_("Time zone"), help_text=_("The times below are those of a clock there.")
    )
    starts = WallClockField(label=_("From"))
    ends = WallClockField(label=_("To"))
    every = forms.ChoiceField(
        label=_("Comes back"),
        required=False,
        choices=[
            ("", _("never")),
            ("week", _("every week")),
            ("month", _("every month")),
            ("year", _("every year")),
        ],
    )
    step = forms.IntegerField(
        label=_("Only every n-th time"),
        required=False,
        min_value=1,
        max_value=52,
        help_text=_("3 and “every month” means every quarter."),
    )
    last_day = forms.DateField(
        label=_("Last day on which it begins"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, choices: Sequence[Choice], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._targets = {choice.key: choice.target for choice in choices}
        field = cast(forms.ChoiceField, self.fields["target"])
        field.choices = [(choice.key, choice.words) for choice in choices]

    def words(self, cleaned: Mapping[str, Any]) -> Words:
        """Return what was typed, for the service."""
        return Words(
            name=cleaned["name"],
            reason=cleaned["reason"],
            target=self._targets[cleaned["target"]],
            zone=cleaned["zone"],
            starts=cleaned["starts"],
            ends=cleaned["ends"],
            every=cleaned["every"],
            step=cleaned["step"] or 1,
            last_day=cleaned["last_day"],
        )


class StopForm(forms.Form):
    """The emergency stop: why, and a word that nobody types by accident."""

    reason = ReasonField(help_text=_("Shown to everybody on every page."))
    typed_word = forms.CharField(
        label=_("Type “stop” to confirm"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )


class ExtendForm(forms.Form):
    """A later end."""

    ends = WallClockField(label=_("New end"))


class LiftForm(forms.Form):
    """Lifting now, or an earlier end."""

    ends = WallClockField(
        label=_("Let it end at"), required=False, help_text=_("Empty: lift it altogether.")
    )
    reason = ReasonField()


class LiftNowForm(forms.Form):
    """Lifting what has no end of its own."""

    reason = ReasonField()


class LiftDecisionForm(AnswerForm):
    """One person's answer to letting a protection end: a freeze, a stop, a policy."""
