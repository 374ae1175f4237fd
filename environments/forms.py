"""Forms of environments. They check shape only; every rule is the services'.

Nothing typed is lost when a form is sent back, except a secret: that is never written into a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from environments.models import DEFAULT_API_VERSION, Environment
from environments.selectors import Lane, Pipeline
from environments.services.orgs import Words
from environments.states import Flow, Kind, Licence, Stage, kind_of

LICENCES = [(str(licence), licence.title) for licence in Licence]


class EnvironmentForm(forms.Form):
    """What people type about an environment."""

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("As people say it, such as “Sales CI” or “Production”."),
    )
    licence_type = forms.ChoiceField(label=_("Licence type"), choices=LICENCES)
    login_host = forms.CharField(
        label=_("Address of the org"),
        max_length=255,
        help_text=_("Its My Domain, such as acme--salesci.sandbox.my.salesforce.com."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    expected_organization_id = forms.CharField(
        label=_("Organisation id"),
        max_length=18,
        help_text=_(
            "15 or 18 characters beginning with 00D; Setup › Company Information shows it."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    api_version = forms.CharField(label=_("API version"), max_length=5, initial=DEFAULT_API_VERSION)

    def words(self) -> Words:
        """Return what was typed, for the service."""
        return Words(
            name=self.cleaned_data["name"],
            licence_type=self.cleaned_data["licence_type"],
            login_host=self.cleaned_data["login_host"],
            expected_organization_id=self.cleaned_data["expected_organization_id"],
            api_version=self.cleaned_data["api_version"],
        )


class NewEnvironmentForm(EnvironmentForm):
    """Registering an org: its place on a track comes first."""

    place = forms.ChoiceField(label=_("Stage"))
    field_order = ["place", "name", "licence_type"]

    def __init__(self, lanes: list[Lane], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = [
            (
                lane.name,
                [(place_key(lane, stage), f"{lane.name} {stage}") for stage in lane.missing],
            )
            for lane in lanes
        ]
        cast(forms.ChoiceField, self.fields["place"]).choices = groups

    def chosen(self, pipeline: Pipeline) -> tuple[Lane, Stage]:
        """Return the lane and the stage that were chosen."""
        wanted = self.cleaned_data["place"]
        return next(
            (lane, stage)
            for lane in pipeline.every
            for stage in lane.missing
            if place_key(lane, stage) == wanted
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that somebody else changed meanwhile."""

    label: str
    now: str


class EditEnvironmentForm(EnvironmentForm):
    """Changing what was typed; carries the version that the person saw."""

    version = forms.CharField(widget=forms.HiddenInput)
    differences: tuple[Difference, ...] = ()

    def __init__(self, environment: Environment, *args: Any, **kwargs: Any) -> None:
        words = Words.of(environment)
        kwargs["initial"] = {
            "name": words.name,
            "licence_type": words.licence_type,
            "login_host": words.login_host,
            "expected_organization_id": words.expected_organization_id,
            "api_version": words.api_version,
            "version": words.version(),
        }
        super().__init__(*args, **kwargs)
        production = environment.kind == Kind.PRODUCTION
        cast(forms.ChoiceField, self.fields["licence_type"]).choices = [
            choice for choice in LICENCES if (choice[0] == Licence.PRODUCTION.value) == production
        ]


class CredentialForm(forms.Form):
    """How Gatehouse signs in. The secret goes one way: in."""

    flow = forms.ChoiceField(
        label=_("How Gatehouse signs in"),
        choices=[(str(flow), flow.title) for flow in Flow],
        widget=forms.RadioSelect,
        initial=Flow.JWT.value,
    )
    client_id = forms.CharField(
        label=_("Consumer key"),
        max_length=256,
        help_text=_("Of the External Client App: Settings › OAuth Settings."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    username = forms.CharField(
        label=_("Integration user"),
        max_length=120,
        required=False,
        help_text=_("JWT bearer only: the username that Gatehouse acts as and nobody else uses."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    secret = forms.CharField(
        label=_("Private key or consumer secret"),
        max_length=16_000,
        strip=False,
        help_text=_(
            "JWT bearer: the private key in PEM form. Client credentials: the consumer secret. "
            "It is sealed to the deploy workers; no page shows it again."
        ),
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["secret"].widget = _WriteOnly(self.fields["secret"].widget.attrs)


class _WriteOnly(forms.Textarea):
    """A text area that never shows what it was given."""

    def format_value(self, value: object) -> str:
        """Leave it empty."""
        return ""


class RetireForm(forms.Form):
    """Asks to type the name."""

    typed_name = forms.CharField(
        label=_("Type the environment's name to confirm"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def place_key(lane: Lane, stage: Stage) -> str:
    """Return the name of a place in a form: ``sales:CI``, ``:PRD`` on production's track."""
    return f"{lane.slug}:{stage}"


def suggested(lane: Lane, stage: Stage) -> dict[str, str]:
    """Return what is likely typed for a place."""
    kind = kind_of(stage)
    licence = Licence.PRODUCTION if kind == Kind.PRODUCTION else Licence.DEVELOPER
    name = "Production" if kind == Kind.PRODUCTION else f"{lane.name} {stage}"
    return {"place": place_key(lane, stage), "name": name, "licence_type": licence.value}


def add_refusal(form: forms.Form, refusal: DomainError) -> None:
    """Put a service's refusal beside the field that it blames, or on top."""
    field = getattr(refusal, "field", None) or refusal.facts.get("field")
    form.add_error(field if field in form.fields else None, refusal.message)
