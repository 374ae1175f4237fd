"""Form fields that every part of the product shares."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

ZONES = [("", _("Choose")), *((name, name) for name in sorted(available_timezones()))]


class ZoneField(forms.ChoiceField):
    """A time zone by its name in the tz database, chosen from all that this machine knows."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=ZONES,
            error_messages={"invalid_choice": _("There is no time zone “%(value)s”.")},
            **kwargs,
        )
