"""Forms about sandboxes. They check shape only; every rule is the services'."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from environments.rules_sandboxes import REFRESH_DAYS
from environments.selectors import Lane
from environments.states import Licence

TYPES = [(kind, Licence(kind).title) for kind in REFRESH_DAYS]


class LicencesForm(forms.Form):
    """How many sandboxes of a type the contract allows."""

    licence_type = forms.ChoiceField(label=_("Licence type"), choices=TYPES)
    total = forms.IntegerField(
        label=_("Licences in all"),
        min_value=0,
        max_value=1000,
        help_text=_("Setup › Company Information or Sandboxes shows it; no API tells it."),
    )


class AdoptForm(forms.Form):
    """On which stage a sandbox stands that Gatehouse did not know."""

    place = forms.ChoiceField(label=_("Stage"))
    name = forms.CharField(label=_("Name"), max_length=60)

    def __init__(self, lanes: list[Lane], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = [
            (f"{lane.slug}:{stage}", f"{lane.name} {stage}")
            for lane in lanes
            for stage in lane.missing
            if stage != "PRD"
        ]
        cast(forms.ChoiceField, self.fields["place"]).choices = places
