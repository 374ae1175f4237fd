"""Who decided, who still may, and who may not and why, as rows for a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.decisions import Allowed, Answer, Denied
from governance.approvals import Ballot, Progress
from governance.models import User
from governance.states import Verdict

NAMED = 6
EXCLUDED_SHOWN = 8


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One line about a person, or about several in the same position."""

    state: str
    icon: str
    words: str
    note: str
    ballot: Ballot | None = None


@dataclass(frozen=True, slots=True)
class Deciders:
    """Everybody who has to do with a question."""

    needed: int
    given: int
    decided: tuple[PersonRow, ...]
    open: tuple[PersonRow, ...]
    excluded: tuple[PersonRow, ...]
    others_excluded: tuple[PersonRow, ...]
    may_decide: Answer
    mine: Ballot | None
    is_satisfied: bool
    reasons: tuple[str, ...]

    @property
    def may_reject(self) -> bool:
        """Stopping is cheaper than starting: an unknown author does not keep from rejecting."""
        answer = self.may_decide
        return bool(answer) or answer.code == "approval.unmapped"

    @property
    def short(self) -> tuple[PersonRow, ...]:
        """Without those who may not."""
        return (*self.decided, *self.open)


NOBODY_ASKED = Deciders(
    needed=0,
    given=0,
    decided=(),
    open=(),
    excluded=(),
    others_excluded=(),
    may_decide=Denied("approval.none", "Nobody is asked to decide on this release now."),
    mine=None,
    is_satisfied=False,
    reasons=(),
)


def of(progress: Progress | None, viewer: User) -> Deciders:
    """Rows for the person who looks; asks the database nothing."""
    if progress is None:
        return NOBODY_ASKED
    ballots = [*progress.approvals, *progress.rejections, *progress.withdrawn]
    first, others = _excluded(progress, viewer)
    return Deciders(
        needed=progress.needed,
        given=sum(1 for ballot in progress.approvals if isinstance(ballot.counts, Allowed)),
        decided=tuple(_ballot(ballot, viewer) for ballot in ballots),
        open=tuple(_open(progress, viewer)),
        excluded=first,
        others_excluded=others,
        may_decide=progress.may_decide(viewer),
        mine=next((b for b in ballots if b.person.pk == viewer.pk), None),
        is_satisfied=progress.satisfied,
        reasons=tuple(progress.reasons),
    )


def _ballot(ballot: Ballot, viewer: User) -> PersonRow:
    name = _name(ballot.person, viewer)
    note = f"“{ballot.comment}”" if ballot.comment else ballot.role
    verb = "approved" if ballot.verdict == Verdict.APPROVE else "rejected"
    if ballot.withdrawn_at is not None:
        what = "approval" if ballot.verdict == Verdict.APPROVE else "rejection"
        return PersonRow("none", "rollback", f"{name} took the {what} back", note, ballot)
    if isinstance(ballot.counts, Denied):
        return PersonRow("held", "held", f"{name} {verb}", ballot.counts.reason, ballot)
    if ballot.verdict == Verdict.REJECT:
        return PersonRow("failed", "failed", f"{name} rejected", note, ballot)
    return PersonRow("done", "done", f"{name} approved", note, ballot)


def _open(progress: Progress, viewer: User) -> Iterator[PersonRow]:
    if not progress.request.is_live:
        return
    if progress.unmapped:
        unknown = ", ".join(progress.unmapped[:NAMED])
        yield PersonRow(
            "held",
            "held",
            f"Nobody knows who {unknown} is",
            "They wrote commits. An admin matches each address with a person; until then nobody "
            "can approve.",
        )
    if progress.satisfied or not progress.may_still:
        return
    people = sorted(progress.may_still, key=lambda person: (person.pk != viewer.pk, str(person)))
    seats = progress.deputies
    names = [f"{_name(each, viewer)} {seats.get(each.pk, '')}".strip() for each in people]
    shown = names[:NAMED]
    rest = len(names) - len(shown)
    if rest:
        text = f"{', '.join(shown)} or {rest} more"
    else:
        text = " or ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
    yield PersonRow("waiting", "waiting", text, "may decide")


def _excluded(
    progress: Progress, viewer: User
) -> tuple[tuple[PersonRow, ...], tuple[PersonRow, ...]]:
    """The viewer and those who would otherwise count; then the others, who fold away."""
    reasons = {user.pk: (user, reason) for user, reason in progress.excluded}
    requester = progress.request.requester
    reasons.setdefault(requester.pk, (requester, "asked for this deployment"))
    rows = sorted(
        reasons.values(),
        key=lambda entry: (
            entry[0].pk != viewer.pk,
            entry[0].pk not in progress.facts.people,
            str(entry[0]),
        ),
    )
    lines = [
        PersonRow("", "lock", f"{_name(user, viewer)} may not", reason) for user, reason in rows
    ]
    near = {viewer.pk, *progress.facts.people}
    count = min(sum(1 for user, _ in rows if user.pk in near), EXCLUDED_SHOWN)
    return tuple(lines[:count]), tuple(lines[count:])


def _name(person: User, viewer: User) -> str:
    return "You" if person.pk == viewer.pk else str(person)
