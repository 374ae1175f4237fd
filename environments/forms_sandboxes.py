"""Forms about sandboxes. They check shape only; every rule is the services'."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from environments.forms import CredentialForm
from environments.rules_sandboxes import REFRESH_DAYS
from environments.selectors import Lane
from environments.states import Licence, SandboxStart
from governance.forms.decisions import AnswerForm

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


class RequestForm(forms.Form):
    """What every request says: when, and why."""

    start = forms.ChoiceField(
        label=_("When"),
        choices=[
            (SandboxStart.NOW.value, _("As soon as it is approved")),
            (SandboxStart.SOON.value, _("As soon as the platform allows it")),
            (SandboxStart.AT.value, _("Not before the time below")),
        ],
        widget=forms.RadioSelect,
        initial=SandboxStart.NOW.value,
    )
    not_before = forms.CharField(
        label=_("Not before"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"}),
        help_text=_("A clock in your time zone; only for the last choice."),
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Those who decide read it, and the history keeps it."),
    )

    def clean_not_before(self) -> datetime | None:
        """Read ``2026-12-20T18:00``."""
        text = self.cleaned_data["not_before"].strip()
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is not None or not 2000 <= found.year <= 2200:
            raise forms.ValidationError(
                _("Write a date and a time, like 2026-12-20T18:00."), code="sandbox.start"
            )
        return found


class CopyForm(RequestForm):
    """A request that copies: from where, and what runs after it."""

    source = forms.ChoiceField(label=_("Copied from"), required=False)
    template_id = forms.CharField(
        label=_("Sandbox template"),
        max_length=18,
        required=False,
        help_text=_("Its id, beginning with 1ps. A Partial Copy from production needs one."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    apex_class_id = forms.CharField(
        label=_("Class to run after the copy"),
        max_length=18,
        required=False,
        help_text=_("The id of an Apex class that implements SandboxPostCopy; empty for none."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    auto_activate = forms.BooleanField(
        label=_("Activate it as soon as it is copied"),
        required=False,
        initial=True,
        help_text=_("Otherwise the old copy lives until somebody activates the new one here."),
    )

    def __init__(self, sources: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("Production")), *sources]
        cast(forms.ChoiceField, self.fields["source"]).choices = choices


class RefreshForm(CopyForm):
    """A refresh of an environment's sandbox."""

    field_order = ["source", "start", "not_before", "template_id", "apex_class_id"]


class CreateForm(CopyForm):
    """A new sandbox."""

    team = forms.ChoiceField(label=_("For"))
    name = forms.CharField(
        label=_("Name"),
        # One more than the platform takes: the service says what is wrong with it.
        max_length=40,
        help_text=_("At most ten letters and digits."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    licence_type = forms.ChoiceField(label=_("Licence type"), choices=TYPES)
    field_order = ["team", "name", "licence_type", "source", "template_id", "apex_class_id"]

    def __init__(
        self,
        teams: list[tuple[str, str]],
        sources: list[tuple[str, str]],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(sources, *args, **kwargs)
        cast(forms.ChoiceField, self.fields["team"]).choices = teams
        del self.fields["auto_activate"]


class DeleteForm(RequestForm):
    """The end of a sandbox; its name is typed."""

    typed_name = forms.CharField(
        label=_("Type the sandbox's name to confirm"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )


class SandboxDecisionForm(AnswerForm):
    """One person's answer to a request about a sandbox."""


class ReconnectForm(CredentialForm):
    """The one step after a refresh: where the sandbox is now, and how Gatehouse signs in."""

    login_host = forms.CharField(
        label=_("Address of the org"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    expected_organization_id = forms.CharField(
        label=_("Organisation id"),
        max_length=18,
        help_text=_("As the platform names the new copy."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ["login_host", "expected_organization_id", "flow", "client_id", "username"]
