"""Forms about which policy governs what."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import Policy


class PolicyForm(forms.Form):
    """Which policy governs an environment or a stage, and why."""

    policy = forms.ModelChoiceField(label=_("Policy"), queryset=Policy.objects.none())
    reason = forms.CharField(
        label=_("Why"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Whoever decides reads it, and the history keeps it."),
    )

    def __init__(self, *args: Any, inherits: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Policy.objects.filter(versions__isnull=False, retired_at=None)
        field = cast("forms.ModelChoiceField[Policy]", self.fields["policy"])
        field.queryset = rows.distinct().order_by("name")
        field.empty_label = inherits or None
        field.required = not inherits
