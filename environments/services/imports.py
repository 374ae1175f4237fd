"""Other people's calendars: public holidays to choose from, and iCalendar files and addresses.

Web stores what somebody uploaded or where it lies; a build worker fetches and reads it. What a
calendar says becomes maintenance, which holds nothing: a person makes a freeze of it. Reading it
again updates entries by their UID and marks those that are gone; a freeze stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from time import monotonic
from urllib.parse import urlsplit

import holidays
import requests
import urllib3
from django.conf import settings
from django.db import transaction

from core.db import advisory_lock, database_now, lock_rows
from core.errors import Conflict, DomainError, ExternalFault, InvalidInput, NotFound, NotNow
from core.names import plain
from environments.models import CalendarSource, Freeze, Maintenance
from environments.rules_ical import BYTES_MAX, Occurrence, read
from environments.selectors_calendar import Target, frozen_keys
from environments.services import calendar
from environments.services.calendar import Origin, Words
from environments.states import IMPORT, FreezeSource, ImportState
from governance import audit
from governance.permissions import acting_person, demand
from jobs.registry import Claim, Next
from jobs.wake import wake

KIND = "environments.calendar"
NAME_MAX = 80
AGAIN_SECONDS = 24 * 3600.0
FETCH_SECONDS = 30
CHUNK = 16_384


# Public holidays ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holiday:
    """A public holiday and the name under which a freeze of it is known."""

    day: date
    name: str
    key: str
    taken: bool


def countries() -> dict[str, list[str]]:
    """Return the countries whose holidays are known, with their subdivisions."""
    return holidays.list_supported_countries()


def holidays_of(country: str, subdivision: str, year: int, target: str) -> list[Holiday]:
    """Return a year's public holidays; raises InvalidInput ``holidays.unknown``."""
    known = countries()
    if country not in known or (subdivision and subdivision not in known[country]):
        raise InvalidInput("holidays.unknown", "The holidays of this place are not known.")
    if not 2000 <= year <= 2200:
        raise InvalidInput("holidays.unknown", "Choose a year from 2000 to 2200.")
    found = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    place = f"{country}-{subdivision}" if subdivision else country
    keys = {day: f"{place}:{day.isoformat()}:{target}"[:80] for day in sorted(found)}
    taken = frozen_keys(keys.values())
    return [Holiday(day, found[day], key, key in taken) for day, key in keys.items()]


@transaction.atomic
def freeze_holidays(
    *, chosen: Sequence[Holiday], days: Collection[date], target: Target, zone: str
) -> list[Freeze]:
    """Freeze the chosen days from midnight to midnight; those frozen already are passed over."""
    made = []
    for holiday in chosen:
        if holiday.day not in days or holiday.taken:
            continue
        begins = datetime.combine(holiday.day, time())
        words = Words(
            name=holiday.name[: calendar.NAME_MAX],
            reason=f"Public holiday: {holiday.name}",
            target=target,
            zone=zone,
            starts=begins,
            ends=begins + timedelta(days=1),
        )
        made.append(calendar.freeze(words=words, origin=Origin(FreezeSource.HOLIDAYS, holiday.key)))
    if not made:
        raise InvalidInput(
            "holidays.none", "Choose at least one day that is not frozen yet.", field="days"
        )
    return made


# iCalendar ---------------------------------------------------------------------------------------


@transaction.atomic
def add(*, name: str, url: str = "", content: str = "") -> CalendarSource:
    """Add a calendar by its address or its text; a worker reads it.

    Codes: ``calendar.name``, ``calendar.place`` (neither or both), ``calendar.host``,
    ``calendar.too_big``, ``calendar.taken``.
    """
    demand("calendar.import")
    name = plain(name)
    if not name or len(name) > NAME_MAX:
        raise InvalidInput("calendar.name", f"Name it in 1 to {NAME_MAX} characters.", field="name")
    if bool(url) == bool(content):
        raise InvalidInput(
            "calendar.place", "Give an address or upload a file, one of the two.", field="url"
        )
    if url:
        _check_address(url)
    if len(content.encode()) > BYTES_MAX:
        raise InvalidInput(
            "calendar.too_big", f"The file is bigger than {BYTES_MAX // 1000} kB.", field="upload"
        )
    advisory_lock("calendar-names")
    if CalendarSource.objects.filter(name__iexact=name, retired_at=None).exists():
        raise Conflict("calendar.taken", f"There is a calendar called {name} already.")
    made = CalendarSource.objects.create(
        name=name,
        url=url,
        content=content,
        created_by=acting_person(),
        requested_at=database_now(),
    )
    place = urlsplit(url).hostname if url else "a file"
    audit.record("calendar.added", made, facts={"place": place})
    wake(KIND, made.pk)
    return made


def allowed_hosts() -> tuple[str, ...]:
    """Return the hosts that calendars may be fetched from."""
    return tuple(host.lower() for host in settings.GATEHOUSE.calendar_hosts)


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").lower()
    except ValueError:
        raise InvalidInput(
            "calendar.host", "The address cannot be read as a URL.", field="url"
        ) from None
    is_plain = parts.scheme == "https" and not parts.username and not parts.password
    if not is_plain or port not in (None, 443) or len(url) > 500:
        raise InvalidInput(
            "calendar.host", "The address begins with https:// and has no password.", field="url"
        )
    if host not in allowed_hosts():
        raise InvalidInput(
            "calendar.host",
            f"Calendars are not fetched from {host or 'there'}. Whoever runs Gatehouse can allow "
            "it with CALENDAR_HOSTS; or download the file and upload it.",
            field="url",
        )


@transaction.atomic
def replace(*, source_id: int, content: str = "") -> CalendarSource:
    """Have a calendar read again, with a new file where it was uploaded.

    Codes: ``calendar.unknown``, ``calendar.too_big``, ``calendar.reading``.
    """
    demand("calendar.import")
    source = _locked(source_id)
    if source.state == ImportState.REQUESTED:
        raise NotNow("calendar.reading", "A worker reads it already.")
    if len(content.encode()) > BYTES_MAX:
        raise InvalidInput(
            "calendar.too_big", f"The file is bigger than {BYTES_MAX // 1000} kB.", field="upload"
        )
    IMPORT.check(ImportState(source.state), ImportState.REQUESTED)
    source.state = ImportState.REQUESTED
    source.requested_at = database_now()
    source.content = content or source.content
    source.save(update_fields=["state", "requested_at", "content"])
    audit.record("calendar.asked", source)
    wake(KIND, source.pk)
    return source


@transaction.atomic
def remove(*, source_id: int) -> CalendarSource:
    """Take a calendar out; its entries are no longer shown, freezes made of them stay."""
    demand("calendar.import")
    source = _locked(source_id)
    source.retired_at = database_now()
    source.save(update_fields=["retired_at"])
    audit.record("calendar.removed", source)
    return source


def _locked(source_id: int) -> CalendarSource:
    found = lock_rows(CalendarSource.objects.filter(pk=source_id, retired_at=None))
    if not found:
        raise NotFound("calendar.unknown", "There is no such calendar.")
    return found[0]


# The worker's side -------------------------------------------------------------------------------


def run(claim: Claim) -> Next:
    """Fetch and read one calendar; one with an address is read again every day."""
    source = CalendarSource.objects.get(pk=claim.subject_id)
    if source.retired_at is not None:
        return Next.done()
    again = Next.after(AGAIN_SECONDS) if source.url else Next.done()
    try:
        content = fetch(source.url) if source.url else source.content
        found = read(content, database_now())
    except DomainError as refusal:
        with transaction.atomic():
            claim.guard()
            _settle(source, ImportState.FAILED, refusal.message)
            audit.record("calendar.read.failed", source, facts={"problem": refusal.message})
        return again
    with transaction.atomic():
        claim.guard()
        _keep(source, found)
    return again


def fetch(url: str) -> str:
    """Fetch a calendar: an allowed host, https, no redirect, no proxy, bounded size and time."""
    try:
        _check_address(url)
    except InvalidInput as refusal:
        raise ExternalFault(refusal.code, refusal.message) from None
    until = monotonic() + FETCH_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        try:
            return _body(session, url, until)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise ExternalFault(
                "calendar.unreachable",
                f"The calendar could not be fetched ({type(error).__name__}).",
                retryable=True,
            ) from None


def _body(session: requests.Session, url: str, until: float) -> str:
    with session.get(url, stream=True, timeout=(5, 10), allow_redirects=False) as answer:
        if answer.status_code != 200:
            raise ExternalFault(
                "calendar.unreachable",
                f"The calendar’s host answered {answer.status_code}; redirects are not followed.",
            )
        content = bytearray()
        # Whatever has come, at once: a host that sends a byte now and then must not hold a worker.
        while chunk := answer.raw.read1(CHUNK, decode_content=True):
            content += chunk
            if len(content) > BYTES_MAX or monotonic() > until:
                raise ExternalFault(
                    "calendar.too_big",
                    f"The calendar is bigger than {BYTES_MAX // 1000} kB or took too long.",
                )
    return content.decode("utf-8", "replace").replace("\0", "")


def _settle(source: CalendarSource, state: ImportState, message: str) -> None:
    source.state, source.message, source.read_at = state, message, database_now()
    source.save(update_fields=["state", "message", "read_at"])


def _keep(source: CalendarSource, found: Sequence[Occurrence]) -> None:
    """Bring the entries in line with what was read; entries of the past stay as they were."""
    now = database_now()
    known = {row.uid: row for row in lock_rows(source.entries.all())}
    new = [entry for entry in found if entry.uid not in known]
    Maintenance.objects.bulk_create(
        Maintenance(
            source=source,
            uid=entry.uid,
            name=entry.name,
            description=entry.description,
            starts_at=entry.start,
            ends_at=entry.end,
            zone=entry.zone,
        )
        for entry in new
    )
    changed = sum(_changed(known[entry.uid], entry) for entry in found if entry.uid in known)
    listed = {entry.uid for entry in found}
    gone = [
        row
        for uid, row in known.items()
        if uid not in listed and not row.gone_at and row.ends_at > now
    ]
    for row in gone:
        row.gone_at = now
        row.save(update_fields=["gone_at"])
    facts = {"new": len(new), "changed": changed, "gone": len(gone), "total": len(found)}
    message = "{new} new, {changed} changed, {gone} gone of {total} entries".format_map(facts)
    if new or changed or gone or source.state != ImportState.DONE:
        audit.record("calendar.read.passed", source, facts=facts)
    _settle(source, ImportState.DONE, message)


def _changed(row: Maintenance, entry: Occurrence) -> bool:
    """Update an entry that the calendar tells differently now."""
    now = (entry.name, entry.description, entry.start, entry.end, entry.zone, None)
    if now == (row.name, row.description, row.starts_at, row.ends_at, row.zone, row.gone_at):
        return False
    row.name, row.description, row.starts_at, row.ends_at, row.zone, row.gone_at = now
    row.save(update_fields=["name", "description", "starts_at", "ends_at", "zone", "gone_at"])
    return True
