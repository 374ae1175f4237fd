"""Pages of freezes, the emergency stop and imported calendars."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic, sleep

import pytest
import requests
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.db import database_now
from core.errors import ExternalFault, InvalidInput
from environments.models import CalendarSource, Freeze, Maintenance
from environments.rules_ical import read
from environments.selectors_calendar import Target
from environments.services import imports, lifting
from governance import stepup
from governance.models import AuditEvent
from tests.environments.calendars import ask, frozen, governed_house, targets_of
from tests.environments.conftest import House

Work = Callable[..., None]
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def house(db: None) -> House:
    return governed_house()


@pytest.fixture
def targets(house: House) -> dict[str, Target]:
    return targets_of(house)


def browse(house: House, name: str) -> Client:
    client = Client()
    client.force_login(house.people[name])
    return client


def test_a_freeze_is_typed_and_shown_on_three_clocks(
    house: House, targets: dict[str, Target]
) -> None:
    track = targets["production track"].track
    assert track is not None
    typed = {
        "name": "Year end",
        "reason": "The books are closed.",
        "target": f"track-{track.pk}",
        "zone": "Europe/Berlin",
        "starts": "2031-12-20T18:00",
        "ends": "2032-01-02T06:00",
        "every": "year",
    }
    client = browse(house, "marek")
    assert "Production’s track" in client.get("/calendar/freezes/new/").content.decode()
    answer = client.post("/calendar/freezes/new/", typed)
    made = Freeze.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/calendar/F-{made.pk}/"
    shown = browse(house, "lena").get(answer["Location"]).content.decode()
    for text in ("Sat 20 Dec 2031 18:00 CET", "Sat 20 Dec 2031 17:00 UTC", "every year", "books"):
        assert text in shown
    assert "Lift…" in shown
    assert "disabled" in shown
    assert made.starts_at == datetime(2031, 12, 20, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ends": "2031-12-20T17:00"}, "ends after it begins"),
        ({"ends": "2034-12-20T17:00"}, "a year at most"),
        ({"zone": "Mars"}, "no time zone"),
        ({"starts": "soon"}, "Write a date and a time"),
        ({"every": "week"}, "before it has ended"),
        ({"starts": "2020-01-01T00:00", "ends": "2020-01-02T00:00"}, "over already"),
        ({"target": "track-999"}, "not one of the available"),
        ({"name": " "}, "required"),
    ],
)
def test_what_makes_no_sense_comes_back_with_everything_typed(
    house: House, targets: dict[str, Target], change: dict[str, str], words: str
) -> None:
    typed = {
        "name": "Year end",
        "reason": "The books are closed.",
        "target": "protected",
        "zone": "Europe/Berlin",
        "starts": "2031-12-20T18:00",
        "ends": "2032-01-02T06:00",
        **change,
    }
    answer = browse(house, "marek").post("/calendar/freezes/new/", typed)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "The books are closed." in answer.content.decode()
    assert not Freeze.objects.exists()


def test_a_lead_freezes_the_team_and_nothing_else(house: House, targets: dict[str, Target]) -> None:
    shown = browse(house, "priya").get("/calendar/freezes/new/").content.decode()
    assert "Everything that Sales contributes" in shown
    assert "All protected environments" not in shown
    assert browse(house, "lena").get("/calendar/freezes/new/").status_code == 403


def test_the_stop_is_a_banner_on_every_page_until_the_board_lifts_it(
    house: House, targets: dict[str, Target]
) -> None:
    client = browse(house, "ana")
    wrong = client.post("/calendar/stop/", {"reason": "Logins fail.", "typed_word": "halt"})
    assert wrong.status_code == 422
    client.post("/calendar/stop/", {"reason": "Logins fail.", "typed_word": "stop"})
    stop = Freeze.objects.get()
    assert "Emergency stop." in browse(house, "lena").get("/environments/").content.decode()
    lift = f"/calendar/F-{stop.pk}/"
    client.post(f"{lift}lift/", {"reason": "They work."})
    page = browse(house, "ben").get(lift).content.decode()
    assert "lifting the emergency stop" in page
    assert "Needs 2 more approvals" in page
    asked = lifting.question(stop)
    assert asked is not None
    for name in ("ben", "ines"):
        status, said = decide(house, name, stop, asked.request.digest)
        assert status == 302, said
    stop.refresh_from_db()
    assert stop.lifted_at is not None
    assert "Emergency stop." not in browse(house, "lena").get("/environments/").content.decode()


def decide(house: House, name: str, freeze: Freeze, digest: str) -> tuple[int, str]:
    """Press Approve in a session that proved itself just now."""
    client = browse(house, name)
    session = client.session
    session[stepup.PROVED_AT] = int(database_now().timestamp())
    session.save()
    typed = {"shown_digest": digest, "verdict": "approve", "comment": "read"}
    answer = client.post(f"/calendar/F-{freeze.pk}/decide/", typed)
    return answer.status_code, answer.content.decode()


def test_a_decision_on_something_else_than_shown_is_a_409(
    house: House, targets: dict[str, Target]
) -> None:
    freeze = frozen(house, targets["production"])
    ask(house, "marek", freeze)
    status, said = decide(house, "ana", freeze, "sha256:" + "3" * 64)
    assert status == 409
    assert "Nothing was recorded" in said


# Imports -----------------------------------------------------------------------------------------

EVENT = """BEGIN:VEVENT
UID:{uid}
SUMMARY:{name}
DTSTART;TZID=America/Los_Angeles:{start}
DTEND;TZID=America/Los_Angeles:{end}
{more}END:VEVENT
"""


def ics(*events: tuple[str, str, str, str], more: str = "") -> str:
    head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//trust//\n"
    body = "".join(
        EVENT.format(uid=uid, name=name, start=start, end=end, more=more)
        for uid, name, start, end in events
    )
    return f"{head}{body}END:VCALENDAR\n"


def soon(days: int, hour: int = 18) -> str:
    return f"{database_now() + timedelta(days=days):%Y%m%d}T{hour:02d}0000"


def test_a_calendar_becomes_maintenance_and_never_touches_a_freeze(
    house: House, targets: dict[str, Target], work: Work
) -> None:
    client = browse(house, "marek")
    first = ics(
        ("w27", "Winter ’27 release", soon(9), soon(9, 23)), ("m1", "Patch", soon(20), soon(20, 20))
    )
    upload = SimpleUploadedFile("trust.ics", first.encode(), "text/calendar")
    client.post("/calendar/imports/new/", {"name": "EU1S", "url": "", "upload": upload})
    work("build", imports.KIND)
    source = CalendarSource.objects.get()
    assert source.message == "2 new, 0 changed, 0 gone of 2 entries", source.message
    entry = Maintenance.objects.get(uid="w27")
    page = client.get(f"/calendar/M-{entry.pk}/").content.decode()
    assert "Make a freeze of it" in page
    form = client.get(f"/calendar/freezes/new/?maintenance={entry.pk}").content.decode()
    assert "America/Los_Angeles" in form
    begins = f"{database_now() + timedelta(days=9):%Y-%m-%d}"
    typed = {
        "name": "Winter ’27",
        "reason": "Salesforce upgrades.",
        "target": "protected",
        "zone": "America/Los_Angeles",
        "starts": f"{begins}T18:00",
        "ends": f"{begins}T23:00",
    }
    client.post(f"/calendar/freezes/new/?maintenance={entry.pk}", typed)
    freeze = Freeze.objects.get()
    assert (freeze.source, freeze.maintenance) == ("ical", entry)
    # The calendar is read again: one entry moved, one is gone. The freeze stays as it was.
    with house.acting("marek"):
        again = ics(("m1", "Patch", soon(21), soon(21, 20)))
        imports.replace(source_id=source.pk, content=again)
    work("build", imports.KIND)
    source.refresh_from_db()
    assert source.message == "0 new, 1 changed, 1 gone of 1 entries"
    before = (freeze.starts_at, freeze.ends_at)
    freeze.refresh_from_db()
    assert (freeze.starts_at, freeze.ends_at, freeze.lifted_at) == (*before, None)
    shown = client.get(freeze.get_absolute_url()).content.decode()
    assert "does not list it any more" in shown
    assert AuditEvent.objects.filter(event="calendar.read.passed").count() == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("hello", "calendar.unreadable"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "calendar.empty"),
        ("x" * 1_000_001, "calendar.too_big"),
        (
            ics(("a", "A", "20261201T000000", "20261201T000001"), more="RRULE:FREQ=SECONDLY\n"),
            "calendar.too_big",
        ),
        (
            ics(*[(str(n), "A", "20261201T0000", "20261201T0100") for n in range(1001)]),
            "calendar.too_big",
        ),
    ],
)
def test_a_calendar_that_is_too_much_or_none_is_refused(content: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(content, NOW)
    assert refused.value.code == code


def test_a_series_is_expanded_within_the_horizon() -> None:
    found = read(
        ics(("a", "A", "20260101T180000", "20260101T200000"), more="RRULE:FREQ=WEEKLY\n"), NOW
    )
    assert found[0].start > NOW - timedelta(days=32)
    assert found[-1].start < NOW + timedelta(days=549)
    assert len(found) in range(80, 90)
    # By the clock in Los Angeles: an hour earlier in UTC once summer time begins.
    hours = {entry.start.hour for entry in found}
    assert hours == {1, 2}
    assert len({entry.uid for entry in found}) == len(found)


@pytest.mark.parametrize(
    "url",
    [
        "http://calendars.example/a.ics",
        "https://evil.example/a.ics",
        "https://calendars.example:8443/a.ics",
        "https://me:secret@calendars.example/a.ics",
        "https://calendars.example.evil.example/a.ics",
        "file:///etc/passwd",
        "https://calendars.example:99999/a.ics",
        "https://calendars.example:0/a.ics",
        "https://calendars.example:x/a.ics",
        "https://[::1/a.ics",
        "https://calendars.example@127.0.0.1/a.ics",
        "https://calendars.example\\@127.0.0.1/a.ics",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_only_allowed_hosts_are_asked(
    house: House, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(imports, "allowed_hosts", lambda: ("calendars.example",))
    with house.acting("marek"), pytest.raises(InvalidInput) as refused:
        imports.add(name="Trust", url=url)
    assert refused.value.code == "calendar.host"
    with pytest.raises(ExternalFault):
        imports.fetch(url)


class Answer:
    """What a host sends."""

    def __init__(self, status: int, chunks: list[bytes]) -> None:
        self.status_code = status
        self.chunks = [*chunks, b""]

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def raw(self) -> Answer:
        return self

    def read1(self, _: int, *, decode_content: bool) -> bytes:
        assert decode_content
        return self.chunks.pop(0)


def test_a_host_that_redirects_or_never_ends_is_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "allowed_hosts", lambda: ("calendars.example",))
    asked: dict[str, object] = {}

    def get(answer: Answer) -> Callable[..., Answer]:
        def call(self: object, url: str, **options: object) -> Answer:
            asked.update(options)
            return answer

        return call

    url = "https://calendars.example/a.ics"
    for answer in (Answer(302, []), Answer(200, [b"x" * 600_000] * 2)):
        monkeypatch.setattr("requests.Session.get", get(answer))
        with pytest.raises(ExternalFault):
            imports.fetch(url)
    monkeypatch.setattr("requests.Session.get", get(Answer(200, [b"BEGIN", b":VCALENDAR"])))
    assert imports.fetch(url) == "BEGIN:VCALENDAR"
    assert asked["allow_redirects"] is False
    assert asked["timeout"] == (5, 10)


class Dripping(BaseHTTPRequestHandler):
    """A host that sends a byte now and then, for ever."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b"x")
                sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_host_that_drips_holds_no_worker() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        began = monotonic()
        with requests.Session() as session, pytest.raises(ExternalFault, match="took too long"):
            imports._body(session, f"http://127.0.0.1:{server.server_port}/", began + 0.5)
        assert monotonic() - began < 10
        server.shutdown()


def test_holidays_are_chosen_and_frozen_once(house: House, targets: dict[str, Target]) -> None:
    client = browse(house, "ines")
    assert client.get("/calendar/holidays/").status_code == 200
    address = "/calendar/holidays/?country=DE&subdivision=BY&year=2031&target=protected"
    shown = client.get(address).content.decode()
    assert "2031-12-25" in shown
    assert "2031-01-06" in shown  # Bavaria only
    typed = {"days": ["2031-12-25", "2031-12-26"], "zone": "Europe/Berlin"}
    assert client.post(address, typed).status_code == 302
    assert Freeze.objects.count() == 2
    first = Freeze.objects.order_by("starts_at")[0]
    assert first.starts_at == datetime(2031, 12, 24, 23, tzinfo=UTC)
    assert first.source == "holidays"
    assert "frozen already" in client.get(address).content.decode()
    assert client.post(address, typed).status_code == 422
    unknown = client.get("/calendar/holidays/?country=DE&subdivision=XX&year=2031&target=protected")
    assert "not known" in unknown.content.decode()
    assert browse(house, "priya").get("/calendar/holidays/").status_code == 403
