"""Ask for evidence packs, note who took them away, draw samples, explain changes in orgs."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction

from core import db
from core.errors import InvalidInput, NotNow
from environments.models import Environment
from governance import audit
from governance.permissions import acting_person, demand
from jobs.wake import wake
from releases.evidence import sampling
from releases.evidence.population import Selection, environments_of, selection_of
from releases.models import AuditSample, EvidencePack, OrgDeployment, Release
from releases.services import observation
from releases.states import PackScope, PackState, Standing

KIND = "releases.evidence"
SEED_MAX = 64


@transaction.atomic
def request_for_release(*, release_id: int) -> EvidencePack:
    """Ask for the evidence about one release."""
    demand("evidence.make")
    release = Release.objects.get(pk=release_id)
    return _request(scope=PackScope.RELEASE.value, release=release)


@transaction.atomic
def request_for_period(
    *, since: datetime, until: datetime, environment: Environment | None = None
) -> EvidencePack:
    """Ask for the evidence about a period; ``until`` is exclusive. Codes: ``evidence.period``."""
    demand("evidence.make")
    _check_period(since, until)
    return _request(scope=PackScope.PERIOD.value, since=since, until=until, environment=environment)


def _check_period(since: datetime, until: datetime) -> None:
    if until <= since:
        raise InvalidInput("evidence.period", "The period ends before it begins.", field="until")
    if since > db.database_now():
        raise InvalidInput(
            "evidence.future",
            "The period has not begun yet: nothing happened in it.",
            field="since",
        )


def _request(**columns: object) -> EvidencePack:
    person = acting_person()
    pack = EvidencePack.objects.create(requested_by=person, zone=person.zone, **columns)
    related = [pack.release] if pack.release else []
    audit.record("evidence.requested", pack, related=related, facts={"about": pack.subject})
    observation.ask_about(environments_of(selection_of(pack)))
    wake(KIND, pack.pk)
    return pack


@transaction.atomic
def download(*, pack_id: int) -> EvidencePack:
    """Note that the acting person takes the file away. Codes: ``evidence.not_ready``."""
    demand("evidence.make")
    pack = EvidencePack.objects.select_related("release", "environment").get(pk=pack_id)
    if pack.state != PackState.READY:
        raise NotNow("evidence.not_ready", "This pack has no file: it is not made yet, or failed.")
    related = [pack.release] if pack.release else []
    facts = {"about": pack.subject, "file": f"sha256:{pack.blob}"}
    audit.record("evidence.downloaded", pack, related=related, facts=facts)
    return pack


@transaction.atomic
def draw_sample(
    *,
    since: datetime,
    until: datetime,
    size: int,
    seed: str = "",
    environment: Environment | None = None,
    writes_only: bool = True,
) -> AuditSample:
    """Draw a random sample of attempts; without a seed a random one is made and kept.

    Codes: ``evidence.period``, ``sample.empty``.
    """
    demand("evidence.sample")
    _check_period(since, until)
    seed = seed.strip() or secrets.token_hex(8)
    selection = Selection(
        environment=environment, since=since, until=until, writes_only=writes_only
    )
    names = sampling.population(selection)
    if not names:
        raise InvalidInput("sample.empty", "Nothing ran in this period: there is nothing to draw.")
    sample = AuditSample.objects.create(
        environment=environment,
        since=since,
        until=until,
        writes_only=writes_only,
        size=size,
        seed=seed[:SEED_MAX],
        population=len(names),
        population_digest=sampling.population_digest(names),
        picked=sampling.draw(names, seed[:SEED_MAX], size),
        drawn_by=acting_person(),
    )
    facts = {"number": len(sample.picked), "population": len(names), "seed": sample.seed}
    audit.record("evidence.sample_drawn", sample, facts=facts)
    return sample


@transaction.atomic
def opened(*, what: str, ref: str) -> None:
    """Note that an auditor looked at evidence: auditors leave a trace of their own."""
    subject = audit.Subject("evidence", 0, ref, ref)
    audit.record("evidence.opened", subject, facts={"what": what})


@transaction.atomic
def explain(*, reported_id: int, explanation: str) -> OrgDeployment:
    """Say where a change past Gatehouse came from. Codes: ``observation.explained``."""
    demand("observation.explain")
    person = acting_person()
    row = OrgDeployment.objects.select_for_update(no_key=True).get(pk=reported_id)
    if row.standing != Standing.UNEXPLAINED or row.explained_at is not None:
        raise NotNow("observation.explained", "Nothing has to be explained here any more.")
    row.explanation = explanation.strip()
    row.explained_at, row.explained_by = db.database_now(), person
    row.save(update_fields=["explanation", "explained_at", "explained_by"])
    subject = audit.Subject("org_deployment", row.pk, f"org_deployment:{row.pk}", row.remote_id)
    audit.record(
        "observation.explained",
        subject,
        related=[row.environment],
        facts={"environment": row.environment.name, "explanation": row.explanation},
    )
    return row
