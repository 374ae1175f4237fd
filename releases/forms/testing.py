"""Forms of a release's tests."""

from __future__ import annotations

from typing import Any

from django import forms

from governance.rules.policy import TEST_LEVELS, meets


class AddTestForm(forms.Form):
    """Names one more test."""

    name = forms.CharField(
        label="Test class",
        max_length=96,
        help_text="A test of the package, or one that production holds already: validating there "
        "says whether it does.",
    )


class TestLevelForm(forms.Form):
    """Chooses the level; only what the policy allows is offered."""

    __test__ = False
    AS_ASKED = "policy"
    level = forms.ChoiceField(label="Tests", widget=forms.RadioSelect)

    def __init__(self, *args: Any, asked: str, chosen: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["level"] = chosen or self.AS_ASKED
        offered = [
            (name, f"{name}: {words}") for name, words in TEST_LEVELS.items() if meets(name, asked)
        ]
        as_asked = (self.AS_ASKED, f"As production's policy asks, which is {asked} today")
        self.fields["level"].choices = [as_asked, *offered]  # type: ignore[attr-defined]

    def clean_level(self) -> str:
        """The level that was chosen; empty for what the policy asks."""
        level = str(self.cleaned_data["level"])
        return "" if level == self.AS_ASKED else level
