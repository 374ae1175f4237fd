"""Forms of policies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms import BoundField

from core.errors import InvalidInput
from core.forms import ZoneField
from governance.forms.decisions import AnswerForm
from governance.models import Team
from governance.rules.marks import ALWAYS, RISK_MARKS
from governance.rules.policy import (
    BACKUP_HOURS_MAX,
    CHECKS,
    EXPIRES_HOURS_MAX,
    NUMBER_MAX,
    RULES_MAX,
    TEST_LEVELS,
    PolicyRules,
    parse,
)
from governance.rules.windows import DAYS, WINDOWS_MAX
from governance.states import Role

SPARE_ROWS = 2
EXPIRES_HOURS_DEFAULT = 168
DAY_NAMES = dict(zip(DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
ROLES = [(role.value, role.title.capitalize()) for role in Role]


class PolicyForm(forms.Form):
    """What a version of a policy says. Rows of rules and windows that stay empty say nothing."""

    checks = forms.MultipleChoiceField(
        label="Checks that must be green",
        required=False,
        choices=[(name, words[0].upper() + words[1:]) for name, words in CHECKS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    min_coverage = forms.IntegerField(
        label="Least test coverage (%)",
        required=False,
        min_value=1,
        max_value=100,
        help_text="Counts with the check of coverage only.",
    )
    backup_max_hours = forms.IntegerField(
        label="A backup is fresh for (hours)",
        required=False,
        min_value=1,
        max_value=BACKUP_HOURS_MAX,
        help_text="Counts with the check of the backup only.",
    )
    external_checks = forms.CharField(
        label="Checks that other systems report",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One name a line, such as jenkins/e2e.",
    )
    start_roles = forms.MultipleChoiceField(
        label="Who may start a deployment",
        required=False,
        choices=ROLES,
        widget=forms.CheckboxSelectMultiple,
        help_text="Nobody ticked: everybody who may deploy.",
    )
    expires_hours = forms.IntegerField(
        label="An approval lasts (hours)", min_value=1, max_value=EXPIRES_HOURS_MAX
    )
    test_level = forms.ChoiceField(
        label="Tests of a deployment",
        choices=[(level, f"{level}: {words}") for level, words in TEST_LEVELS.items()],
        initial="RunLocalTests",
    )
    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Whoever decides reads it, and the history keeps it.",
    )

    def __init__(self, data: Any = None, *, rules: PolicyRules | None = None) -> None:
        super().__init__(data, initial=_initial(rules))
        approvals = len(rules.approvals) if rules else 0
        windows = len(rules.windows) if rules else 0
        self._rules = _rows(data, "rule", approvals + SPARE_ROWS, RULES_MAX)
        self._windows = _rows(data, "window", windows + 1, WINDOWS_MAX)
        teams = [
            ("", "in any team"),
            *(
                (slug, f"of team {name}")
                for slug, name in Team.objects.filter(retired_at=None).values_list("slug", "name")
            ),
        ]
        for row in self._rules:
            self.fields |= _rule_fields(f"rule{row}", teams)
        for row in self._windows:
            self.fields |= _window_fields(f"window{row}")

    @property
    def rule_rows(self) -> Iterator[list[BoundField]]:
        """The fields of each rule of approval."""
        for row in self._rules:
            yield [self[f"rule{row}_{name}"] for name in ("number", "roles", "team", "when")]

    @property
    def window_rows(self) -> Iterator[list[BoundField]]:
        """The fields of each window."""
        for row in self._windows:
            yield [self[f"window{row}_{name}"] for name in ("days", "from", "to", "zone")]

    @property
    def check_fields(self) -> list[BoundField]:
        """The fields about checks."""
        names = ("checks", "min_coverage", "backup_max_hours", "external_checks")
        return [self[name] for name in names]

    @property
    def other_fields(self) -> list[BoundField]:
        """The fields that stand for themselves."""
        return [self[name] for name in ("start_roles", "expires_hours", "test_level", "reason")]

    def clean(self) -> dict[str, Any]:
        """Put the body together and read it as the gate would."""
        given = self.cleaned_data
        if not self.errors:
            try:
                self._body = parse(self._typed(given)).body()
            except InvalidInput as refusal:
                known = refusal.field if refusal.field in self.fields else None
                self.add_error(known, forms.ValidationError(refusal.message, code=refusal.code))
        return given

    def body(self) -> dict[str, Any]:
        """Return what was typed as a policy's body."""
        return self._body

    def _typed(self, given: dict[str, Any]) -> dict[str, Any]:
        checks = given["checks"]
        return {
            "approvals": [
                _rule(given, f"rule{row}") for row in self._rules if given[f"rule{row}_number"]
            ],
            "checks": checks,
            "external_checks": re.findall(r"[^\s,]+", given["external_checks"]),
            "min_coverage": given["min_coverage"] if "coverage" in checks else None,
            "backup_max_hours": given["backup_max_hours"] if "backup" in checks else None,
            "windows": [
                _window(given, f"window{row}")
                for row in self._windows
                if given[f"window{row}_days"]
            ],
            "start_roles": given["start_roles"],
            "expires_hours": given["expires_hours"],
            "test_level": given["test_level"],
        }


class NewPolicyForm(PolicyForm):
    """A policy's name and its first version."""

    name = forms.CharField(label="Name", max_length=80)


def _rows(data: Any, kind: str, wanted: int, most: int) -> range:
    """The rows of a form: as many as wanted, and every one that was sent."""
    found = (re.fullmatch(rf"{kind}([0-9])_[a-z]+", name) for name in data or ())
    sent = [int(match[1]) + 1 for match in found if match]
    return range(min(max([wanted, *sent]), most))


def _rule_fields(prefix: str, teams: list[tuple[str, str]]) -> dict[str, forms.Field]:
    when = [(ALWAYS, "always"), *((mark, f"when {words}") for mark, words in RISK_MARKS.items())]
    return {
        f"{prefix}_number": forms.IntegerField(
            label="Approvals", required=False, min_value=0, max_value=NUMBER_MAX
        ),
        f"{prefix}_roles": forms.MultipleChoiceField(
            label="of people who are",
            required=False,
            choices=ROLES,
            widget=forms.CheckboxSelectMultiple,
        ),
        f"{prefix}_team": forms.ChoiceField(label="where", required=False, choices=teams),
        f"{prefix}_when": forms.ChoiceField(
            label="asked", choices=when, initial=ALWAYS, required=False
        ),
    }


def _window_fields(prefix: str) -> dict[str, forms.Field]:
    clock = {"placeholder": "22:00", "inputmode": "numeric"}
    return {
        f"{prefix}_days": forms.MultipleChoiceField(
            label="Days on which it opens",
            required=False,
            choices=list(DAY_NAMES.items()),
            widget=forms.CheckboxSelectMultiple,
        ),
        f"{prefix}_from": forms.CharField(
            label="from", required=False, max_length=5, widget=forms.TextInput(attrs=clock)
        ),
        f"{prefix}_to": forms.CharField(
            label="to", required=False, max_length=5, widget=forms.TextInput(attrs=clock)
        ),
        f"{prefix}_zone": ZoneField(label="in the time zone", required=False),
    }


def _rule(given: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        "number": given[f"{prefix}_number"],
        "roles": given[f"{prefix}_roles"],
        "team": given[f"{prefix}_team"] or None,
        "when": given[f"{prefix}_when"] or ALWAYS,
    }


def _window(given: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name: given[f"{prefix}_{name}"] for name in ("days", "from", "to", "zone")}


def _initial(rules: PolicyRules | None) -> dict[str, Any]:
    if rules is None:
        return {"expires_hours": EXPIRES_HOURS_DEFAULT}
    body = rules.body()
    rows = {
        f"{kind}{number}_{name}": value
        for kind, items in (("rule", body["approvals"]), ("window", body["windows"]))
        for number, item in enumerate(items)
        for name, value in item.items()
    }
    external = "\n".join(body["external_checks"])
    return body | rows | {"external_checks": external, "min_coverage": body["min_coverage"] or None}


class ProposalDecisionForm(AnswerForm):
    """One person's answer to a proposed version of a policy."""
