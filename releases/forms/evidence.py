"""Forms of evidence: a period, a sample, an explanation."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone

from environments.models import Environment
from releases.evidence.population import protected

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9998, 12, 31)
SAMPLE_MAX = 500


def _day(label: str, help_text: str = "") -> forms.DateField:
    limits = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, widget=widget, validators=limits, help_text=help_text)


class PeriodForm(forms.Form):
    """Whole days in the person's zone, the last one included, and one environment or all."""

    since = _day("From")
    until = _day("To", "The day itself is included.")
    environment = forms.ModelChoiceField(
        queryset=Environment.objects.none(),
        required=False,
        empty_label="Every protected environment",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["environment"]
        field.queryset = protected()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Turn days into moments: from the first midnight to the one after the last day."""
        given: dict[str, Any] = super().clean() or {}
        first, last = given.get("since"), given.get("until")
        if first is None or last is None:
            return given
        if last < first:
            raise forms.ValidationError("The last day lies before the first one.")
        given["since"], given["until"] = _midnight(first), _midnight(last + timedelta(days=1))
        return given


class SampleForm(PeriodForm):
    """What to draw from, how many and with which seed."""

    size = forms.IntegerField(label="How many", min_value=1, max_value=SAMPLE_MAX, initial=25)
    seed = forms.CharField(
        required=False,
        max_length=64,
        help_text="Choose any text, so that you draw and not Gatehouse. Empty: one is made.",
    )
    writes_only = forms.BooleanField(
        label="Only attempts that write",
        required=False,
        initial=True,
        help_text="Leaves out preparations, which only check.",
    )


class ExplanationForm(forms.Form):
    """Where a change past Gatehouse came from."""

    explanation = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Who made the change, why past Gatehouse, and what was done about it.",
    )


def _midnight(day: date) -> datetime:
    """The moment a day begins in the person's zone."""
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())
