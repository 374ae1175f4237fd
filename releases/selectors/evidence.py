"""What the pages of evidence show."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from releases.models import AuditSample, EvidencePack, OrgDeployment, OrgObservation
from releases.selectors.words import Word
from releases.states import ObservationState, PackState, Standing

SHOWN = 20
PACK: dict[PackState, Word] = {
    PackState.QUEUED: Word("waiting", "Waiting"),
    PackState.MAKING: Word("running", "Being made"),
    PackState.READY: Word("done", "Ready"),
    PackState.FAILED: Word("failed", "Failed"),
}
STANDING: dict[Standing, Word] = {
    Standing.MATCHED: Word("done", "Sent by Gatehouse"),
    Standing.NO_EFFECT: Word("none", "Changed nothing"),
    Standing.PENDING: Word("waiting", "Not settled yet"),
    Standing.UNEXPLAINED: Word("failed", "Unexplained"),
}
EXPLAINED = Word("held", "Explained")
LIVE = frozenset({PackState.QUEUED, PackState.MAKING})


@dataclass(frozen=True, slots=True)
class PackRow:
    """An evidence pack with its word."""

    pack: EvidencePack
    word: Word

    @property
    def is_live(self) -> bool:
        """Whether it is still being made."""
        return self.pack.state in LIVE


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """A deployment that an org lists, with its word."""

    row: OrgDeployment
    word: Word


def pack_row(pack: EvidencePack) -> PackRow:
    """Put the word to a pack."""
    return PackRow(pack, PACK[PackState(pack.state)])


def find(pk: int) -> EvidencePack | None:
    """One pack with what its page names."""
    rows = EvidencePack.objects.select_related("release", "environment", "requested_by")
    return rows.filter(pk=pk).first()


def packs() -> list[PackRow]:
    """The newest packs."""
    rows = EvidencePack.objects.select_related("release", "environment", "requested_by")
    return [pack_row(row) for row in rows[:SHOWN]]


def samples() -> QuerySet[AuditSample]:
    """The newest samples."""
    return AuditSample.objects.select_related("environment", "drawn_by")[:SHOWN]


def reported(*, open_only: bool) -> QuerySet[OrgDeployment]:
    """What orgs list, newest first."""
    rows = OrgDeployment.objects.select_related("environment", "step", "explained_by")
    if open_only:
        rows = rows.filter(standing=Standing.UNEXPLAINED.value, explained_at__isnull=True)
    return rows


def reported_row(row: OrgDeployment) -> ReportedRow:
    """Put the word to what an org lists."""
    explained = row.standing == Standing.UNEXPLAINED and row.explained_at is not None
    return ReportedRow(row, EXPLAINED if explained else STANDING[Standing(row.standing)])


def last_looks() -> list[OrgObservation]:
    """The newest look at each org."""
    rows = OrgObservation.objects.select_related("environment")
    return list(rows.order_by("environment_id", "-pk").distinct("environment_id"))


def look_word(row: OrgObservation) -> Word:
    """Whether the newest look at an org worked."""
    if row.state == ObservationState.DONE:
        return Word("done", "Asked")
    return Word("failed", "Did not answer")
