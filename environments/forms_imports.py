"""Forms of imported calendars and public holidays; every rule is the services'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from core.forms import ZoneField
from environments.rules_ical import BYTES_MAX
from environments.selectors_calendar import Choice, Target
from environments.services import imports
from environments.services.imports import Holiday


class CalendarTextField(forms.FileField):
    """An uploaded calendar, as text."""

    widget = forms.ClearableFileInput(attrs={"accept": ".ics,text/calendar"})

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Read the file, as far as it is small enough."""
        upload = super().clean(data, initial)
        if not upload:
            return ""
        if upload.size > BYTES_MAX:
            raise forms.ValidationError(
                _("The file is bigger than %(size)d kB."),
                code="calendar.too_big",
                params={"size": BYTES_MAX // 1000},
            )
        text = upload.read().decode("utf-8", "replace")
        return str(text).replace("\0", "")


class CalendarForm(forms.Form):
    """A calendar by address or file."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("As in “Salesforce EU1S maintenance”.")
    )
    url = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=500,
        help_text=_("https://…; it is read again every day. Hosts have to be allowed."),
        widget=forms.URLInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    upload = CalendarTextField(label=_("Or a file (.ics)"), required=False)


class PlaceForm(forms.Form):
    """Whose holidays, and what a freeze of one covers."""

    country = forms.ChoiceField(label=_("Country"))
    subdivision = forms.CharField(
        label=_("State or region"),
        required=False,
        max_length=20,
        help_text=_("Its code, such as BY for Bavaria; empty for the whole country."),
    )
    year = forms.IntegerField(label=_("Year"), min_value=2000, max_value=2200)
    target = forms.ChoiceField(label=_("What a freeze covers"))

    def __init__(self, choices: Sequence[Choice], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._targets = {choice.key: choice.target for choice in choices}
        codes = [(code, code) for code in sorted(imports.countries())]
        cast(forms.ChoiceField, self.fields["country"]).choices = codes
        options = [(choice.key, choice.words) for choice in choices]
        cast(forms.ChoiceField, self.fields["target"]).choices = options

    def target_of(self, key: str) -> Target:
        """Return what was chosen."""
        return self._targets[key]


class HolidaysForm(forms.Form):
    """Which of a year's holidays are frozen."""

    days = forms.MultipleChoiceField(label=_("Days"), widget=forms.CheckboxSelectMultiple)
    zone = ZoneField(label=_("Time zone"), help_text=_("A day lasts from midnight to midnight."))

    def __init__(self, found: Sequence[Holiday], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.MultipleChoiceField, self.fields["days"]).choices = [
            (day.day.isoformat(), f"{day.day:%a} {day.day.day} {day.day:%b}: {day.name}")
            for day in found
            if not day.taken
        ]
