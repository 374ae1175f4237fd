"""Pick a side for everything that is open in one component."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from metadata.merge.conflicts import ALL
from releases.models import ComponentConflict

SHORT, SHORT_LINES = 1_200, 16
"""A text of at most so many characters and lines is shown without a click."""


class ResolveForm(forms.Form):
    """One choice per thing fought over, and one reason for all of them."""

    reason = forms.CharField(
        label="Why",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Who agreed to it, and what for. Everybody who reads the history sees it.",
    )

    def __init__(self, *args: Any, conflict: ComponentConflict, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.elements: list[dict[str, Any]] = conflict.elements
        picks = {
            f"pick_{place}": forms.ChoiceField(
                label=f"What holds for {element['place'] or 'the whole component'}",
                choices=_choices(element),
                widget=forms.RadioSelect,
                error_messages={"required": "Pick a side."},
            )
            for place, element in enumerate(self.elements)
        }
        self.fields = {**picks, "reason": self.fields["reason"]}

    def rows(self) -> Iterator[tuple[dict[str, Any], forms.BoundField]]:
        """Each thing fought over with its field; short texts are open to read at once."""
        for place, element in enumerate(self.elements):
            sides = [side | {"is_short": _is_short(side["text"])} for side in element["sides"]]
            yield element | {"sides": sides}, self[f"pick_{place}"]

    def clean(self) -> dict[str, Any]:
        """The picks by the digest of what they decide."""
        cleaned = super().clean() or self.cleaned_data
        picks = {
            element["digest"]: cleaned.pop(f"pick_{place}", "")
            for place, element in enumerate(self.elements)
        }
        return {**cleaned, "picks": picks}


def _is_short(text: str) -> bool:
    return 0 < len(text) <= SHORT and text.count("\n") < SHORT_LINES


def _choices(element: dict[str, Any]) -> list[tuple[str, str]]:
    offered = [
        (side["pick"], f"{side['who'][:1].upper()}{side['who'][1:]} {side['says']}")
        for side in element["sides"]
    ]
    if element["takes_all"]:
        offered.append((ALL, "Take what every side says"))
    return offered
