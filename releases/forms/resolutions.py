"""Pick a side for everything that is open in one component."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from metadata.merge.conflicts import ALL
from releases.models import ComponentConflict


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
        """Each thing fought over with its field."""
        for place, element in enumerate(self.elements):
            yield element, self[f"pick_{place}"]

    def clean(self) -> dict[str, Any]:
        """The picks by the digest of what they decide."""
        cleaned = super().clean() or self.cleaned_data
        picks = {
            element["digest"]: cleaned.pop(f"pick_{place}", "")
            for place, element in enumerate(self.elements)
        }
        return {**cleaned, "picks": picks}


def _choices(element: dict[str, Any]) -> list[tuple[str, str]]:
    offered = [
        (side["pick"], f"{side['who'][:1].upper()}{side['who'][1:]} {side['says']}")
        for side in element["sides"]
    ]
    if element["takes_all"]:
        offered.append((ALL, "Take every side, one after the other"))
    return offered
