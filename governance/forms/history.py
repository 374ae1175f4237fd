"""The filters of the history, as they stand in the URL."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone

from core import ids
from governance.models import Team, User
from governance.selectors.history import OUTCOMES, Filters

REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}(:[A-Za-z0-9_-]{1,60})?")


FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9998, 12, 31)


def _day_field(label: str) -> forms.DateField:
    limits = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, required=False, widget=widget, validators=limits)


class HistoryForm(forms.Form):
    """Who, what, where, when and how it ended; every field may be empty."""

    q = forms.CharField(required=False, max_length=200)
    person = forms.TypedChoiceField(label="Person", required=False, coerce=int, empty_value=None)
    object = forms.CharField(label="Object", required=False, max_length=100)
    release = forms.CharField(label="Release", required=False, max_length=30)
    environment = forms.CharField(label="Environment", required=False, max_length=30)
    outcome = forms.ChoiceField(
        required=False, choices=[("", "Any outcome"), *OUTCOMES.items()], label="Outcome"
    )
    area = forms.CharField(required=False, max_length=40)
    team = forms.SlugField(required=False)
    since = _day_field("From")
    until = _day_field("To")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.order_by("full_name", "pk").values_list("pk", "full_name")
        self.fields["person"].choices = [("", "Anybody"), *people]  # type: ignore[attr-defined]

    def clean_object(self) -> str:
        """Take a public id in any case (``r-42``) or a name such as ``team:sales``."""
        return self._reference("object")

    def clean_release(self) -> str:
        """Take a release by its public id."""
        return self._public_id("release", "R")

    def clean_environment(self) -> str:
        """Take an environment by its public id."""
        return self._public_id("environment", "E")

    def _public_id(self, name: str, prefix: str) -> str:
        text = str(self.cleaned_data[name]).strip().upper()
        found = ids.parse_ref(text)
        if text and (found is None or found[0] != prefix):
            raise forms.ValidationError(f"Write its id, like {prefix}-3.")
        return text

    def _reference(self, name: str) -> str:
        text = str(self.cleaned_data[name]).strip()
        if text and not REFERENCE.fullmatch(text):
            raise forms.ValidationError("An object is named like R-42 or team:sales.")
        return text if ":" in text else text.upper()

    def filters(self) -> Filters:
        """Return what to look for; fields with errors do not narrow."""
        given = self.cleaned_data
        until = given.get("until")
        return Filters(
            person=given.get("person"),
            refs=tuple(
                filter(None, (given.get(name) for name in ("object", "release", "environment")))
            ),
            outcome=given.get("outcome", ""),
            group=given.get("area", ""),
            team=given.get("team", ""),
            words=given.get("q", ""),
            since=_midnight(given.get("since")),
            until=_midnight(until + timedelta(days=1)) if until else None,
        )

    def person_name(self) -> str:
        """Name the person of the filter."""
        user = User.objects.filter(pk=self.cleaned_data["person"]).first()
        return user.full_name if user else "nobody"

    def team_name(self) -> str:
        """Name the team of the filter."""
        team = Team.objects.filter(slug=self.cleaned_data.get("team")).first()
        return team.name if team else "no team"


def _midnight(day: date | None) -> datetime | None:
    """Return the moment a day begins in the person's time zone."""
    if day is None:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())
