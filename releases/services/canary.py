"""The canary: every day something that nobody approved asks for its way to production (I-40).

The canary is an environment of the production track without an org, a credential or anything to
lose. A deployment of an artefact that nobody approved is planned for it and taken through the
engine; the gate and the database's floor have to refuse it, and each refusal is written into the
history. What is recorded as allowed, and silence, alarm.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from core import db
from core.digests import digest_json
from core.errors import NotNow
from environments.models import Environment, Track
from environments.states import Kind, Licence, Stage, TrackKind
from governance import audit, notices
from governance.models import AuditEvent
from governance.permissions import acting_person, demand
from governance.selectors import people
from governance.states import Role
from jobs.wake import wake
from metadata.components import ComponentKey
from metadata.normal import NormalForm
from releases.models import Deployment
from releases.selectors import policies
from releases.selectors.canary import ANSWERS
from releases.services import deployments, packaging
from releases.states import Purpose

NAME = "Canary"
ORGANIZATION = "00D000000000CANARY"
HOST = "canary.my.salesforce.com"
REACH_KIND = "releases.canary"
PLAN_KIND = "releases.canary_plan"
TRY_KIND = "releases.canary_try"
WATCH_KIND = "releases.canary_watch"
DAILY = 24 * 3600
HOURLY = 3600
SUBJECT = 1
"""There is one canary; the rows of its work need some number."""
CONTENT = b"Nobody approved this. It must never reach an org.\n"


def environment() -> Environment | None:
    """The canary, once it was set up."""
    rows = Environment.objects.select_related("track__team", "policy")
    return rows.filter(stage=Stage.CANARY, retired_at=None).first()


@transaction.atomic
def ask() -> Environment:
    """Set the canary up if there is none yet, and have it asked now.

    Code ``canary.no_production``: without a production environment there is nothing to guard.
    """
    demand("canary.ask")
    found = environment() or _set_up()
    audit.record("canary.asked", found, facts={"person": acting_person().full_name})
    wake(REACH_KIND, SUBJECT)
    return found


def _set_up() -> Environment:
    db.advisory_lock("canary")
    production = Environment.objects.filter(stage=Stage.PRD, retired_at=None).first()
    track = Track.objects.filter(kind=TrackKind.PRODUCTION).first()
    if production is None or track is None:
        raise NotNow("canary.no_production", "Add the production environment first.")
    return Environment.objects.create(
        track=track,
        stage=Stage.CANARY,
        kind=Kind.SANDBOX,
        name=NAME,
        licence_type=Licence.DEVELOPER,
        login_host=HOST,
        expected_organization_id=ORGANIZATION,
        policy=production.policy,
    )


@transaction.atomic
def plan(canary: Environment) -> Deployment:
    """Plan the next attempt; a build worker does it, which may keep artefacts."""
    key = ComponentKey("StaticResource", "Canary")
    meta = b'<?xml version="1.0" encoding="UTF-8"?>\n<StaticResource xmlns="http://soap.sforce.com/'
    meta += b'2006/04/metadata"><contentType>text/plain</contentType></StaticResource>\n'
    files = {
        "staticresources/Canary.resource": CONTENT,
        "staticresources/Canary.resource-meta.xml": meta,
    }
    artefact = packaging.keep(NormalForm({key: files}))
    attempt = deployments.plan(
        purpose=Purpose.RELEASE,
        environment=canary,
        artefact=artefact,
        policy_version=policies.in_force(canary),
        subject_digest=digest_json({"canary": db.database_now().isoformat()}),
    )
    wake(TRY_KIND, attempt.pk)
    return attempt


@transaction.atomic
def answered(attempt: Deployment, *, gate: str, floor: str, calls: int) -> None:
    """Write down what gate and floor said; empty means that it let the canary pass."""
    refused = bool(gate and floor) and not calls
    facts = {"gate": gate or "let it pass", "floor": floor or "let it pass", "calls": calls}
    audit.record("canary.refused" if refused else "canary.allowed", attempt, facts=facts)
    if not refused:
        _alarm(
            "The gate let an unapproved artefact pass",
            f"The canary was not refused. Gate: {facts['gate']}. Floor: {facts['floor']}. "
            "Press the emergency stop and find out why.",
        )


@transaction.atomic
def watch(now: datetime) -> None:
    """Alarm, once a day, when the canary has not been refused for too long."""
    if not silent(now):
        return
    told = AuditEvent.objects.filter(event="canary.silent", at__gt=now - timedelta(days=1))
    if told.exists():
        return
    last = last_answer()
    since = last.at.isoformat() if last is not None and last.at else "never"
    subject = audit.Subject("canary", SUBJECT, "canary", NAME)
    audit.record("canary.silent", subject, facts={"since": since})
    _alarm(
        "The canary is silent",
        f"The gate was not tried for more than {settings.GATEHOUSE.canary_hours} hours "
        f"(last: {since}). "
        + (
            "Are ticker and deploy workers running?"
            if last is not None
            else "Nobody has asked it yet: an admin or a board member does that once, on its page."
        ),
    )


def silent(now: datetime) -> bool:
    """Whether no answer is young enough; counted from the day production was first connected."""
    production = Environment.objects.filter(stage=Stage.PRD, retired_at=None, connection="ok")
    found = production.order_by("pk").first()
    if found is None:
        return False
    last = last_answer()
    since = last.recorded_at if last is not None else _connected_at(found)
    return since < now - silent_after()


def _connected_at(production: Environment) -> datetime:
    """When production was first connected; the history knows, whatever was checked since."""
    rows = AuditEvent.objects.filter(
        event="environment.connection.passed", subject_ref=production.public_id
    )
    first = rows.order_by("pk").first()
    return first.at if first is not None and first.at else production.created_at


def silent_after() -> timedelta:
    """How old the newest answer may be before its absence alarms (``GATEHOUSE_CANARY_HOURS``)."""
    return timedelta(hours=settings.GATEHOUSE.canary_hours)


def last_answer() -> AuditEvent | None:
    """The newest answer of gate and floor, which deploy workers alone write down."""
    return AuditEvent.objects.filter(event__in=ANSWERS).order_by("-pk").first()


def _alarm(subject: str, text: str) -> None:
    told = people.holders((Role.ADMIN, Role.BOARD_MEMBER))
    notices.send(told, subject, f"{text}\n\n{notices.absolute(reverse('releases:canary'))}")
