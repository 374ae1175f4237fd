"""Forms of a release."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from governance.models import User
from releases.models import Candidate, Release, ReleaseReview, RunbookItem


class MomentField(forms.DateTimeField):
    """A date and time in the person's zone, picked with the browser's own control."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **kwargs
        )

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        """Name the zone beside the control, since the control itself shows none."""
        self.help_text = self.help_text or f"Time zone: {timezone.get_current_timezone_name()}."
        return super().get_bound_field(form, field_name)


class ScopeForm(forms.Form):
    """Chooses what the package of a release holds."""

    scope = forms.ChoiceField(
        label="Package",
        choices=Release.Scope.choices,
        initial=Release.Scope.WHOLE,
        required=False,
        widget=forms.RadioSelect,
        help_text="Only what differs deploys faster; such a release cannot be gone back to later, "
        "because its package does not hold everything.",
    )

    def clean_scope(self) -> str:
        """Without an answer nothing changes."""
        kept = self.get_initial_for_field(self.fields["scope"], "scope")
        return str(self.cleaned_data["scope"] or kept)


class NewReleaseForm(ScopeForm):
    """Opens a release in draft."""

    field_order = ("title", "bump", "scope")

    title = forms.CharField(
        max_length=120,
        help_text="What people call it, such as “October train”.",
    )
    bump = forms.ChoiceField(
        label="Version",
        choices=[
            (Release.Bump.MINOR, "Minor: new things, nothing breaks"),
            (Release.Bump.MAJOR, "Major: people have to change how they work"),
            (Release.Bump.PATCH, "Patch: repairs only"),
        ],
        initial=Release.Bump.MINOR,
        widget=forms.RadioSelect,
    )
    notes = forms.CharField(
        label="Release notes",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="What people will see, in their words.",
    )
    impact = forms.CharField(
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Who notices it, what may go wrong, what to watch afterwards.",
    )


class EditReleaseForm(ScopeForm):
    """Changes the words and the window of a release."""

    field_order = ("title", "scope")

    title = forms.CharField(max_length=120)
    notes = NewReleaseForm.base_fields["notes"]
    impact = NewReleaseForm.base_fields["impact"]
    not_before = MomentField(label="Not before", required=False)
    not_after = MomentField(
        label="Not after",
        required=False,
        help_text="The window for production. Leave both empty to deploy as soon as the board "
        "has approved.",
    )

    def __init__(self, *args: Any, composed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if composed:
            self.fields["scope"].disabled = True
            self.fields["scope"].help_text = "Settled by composing; return it to draft to choose."

    def clean(self) -> dict[str, Any]:
        """Say at once when the window ends before it begins; keep what was not touched.

        The control shows whole minutes: sent back untouched, it must not move the window by
        seconds, which would void decisions.
        """
        cleaned = super().clean() or self.cleaned_data
        for name in ("not_before", "not_after"):
            before, now = self.initial.get(name), cleaned.get(name)
            if before and now and before.replace(second=0, microsecond=0) == now:
                cleaned[name] = before
        opens, closes = cleaned.get("not_before"), cleaned.get("not_after")
        if opens and closes and closes <= opens:
            self.add_error("not_after", "The window ends before it begins.")
        return cleaned


class AddCandidateForm(forms.Form):
    """Picks an offered candidate."""

    candidate = forms.TypedChoiceField(coerce=int, label="Candidate")

    def __init__(self, *args: Any, addable: list[Candidate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(row.pk, f"{row.team.name} {row.tag} ({row.sha[:7]})") for row in addable]
        self.fields["candidate"].choices = choices  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why something is taken back; the history keeps it."""

    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text="The history keeps it."
    )


class BreakGlassForm(forms.Form):
    """Why an emergency cannot wait."""

    incident = forms.CharField(
        max_length=80, help_text="The number under which it is being handled, such as INC-4711."
    )
    reason = forms.CharField(
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What is broken, whom it hurts, and why it cannot wait for the next window. "
        "Every admin and the board read it now.",
    )


class RunbookForm(forms.Form):
    """One manual step."""

    text = forms.CharField(label="What is to be done", max_length=300)
    phase = forms.ChoiceField(label="When", choices=RunbookItem.Phase.choices)
    owner = forms.TypedChoiceField(coerce=int, label="Who does it")
    critical = forms.BooleanField(
        required=False, help_text="Without it the deployment is worth nothing."
    )

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(user.pk, user.full_name) for user in people]
        self.fields["owner"].choices = choices  # type: ignore[attr-defined]


class ReviewForm(forms.Form):
    """What came of an emergency."""

    review = forms.CharField(
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="What happened, whether breaking the glass was right, and what prevents the "
        "next one. The history keeps it.",
    )


class AfterwardsForm(forms.Form):
    """How a release went, once it had run."""

    outcome = forms.ChoiceField(
        label="How did it go?",
        choices=ReleaseReview.Outcome.choices,
        widget=forms.RadioSelect,
    )
    review = forms.CharField(
        label="What came of it",
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="What people noticed, what went otherwise than planned, what to do better.",
    )
    incidents = forms.CharField(
        max_length=200,
        required=False,
        help_text="Keys of the incidents that it brought or ended, such as INC-4711.",
    )


class ReopenForm(forms.Form):
    """Returning to draft; why is welcome and not demanded, so that one press is enough."""

    reason = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="The history keeps it.",
    )
