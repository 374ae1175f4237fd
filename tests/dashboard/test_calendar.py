"""The calendar: what stands on which day, for whom, and in how many queries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.calendar_grid import Entry, agenda, weeks
from environments.models import Freeze
from tests.support.company import Company

BERLIN = ZoneInfo("Europe/Berlin")


def entry(start: str, end: str | None, kind: str = "freeze") -> Entry:
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    last = datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None
    return Entry(kind, "Year end", "/x", first, last, zone=BERLIN)


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        # A night's window stands on the day it opens.
        ("2026-10-22T20:00", "2026-10-23T02:00", "2026-10-22", "2026-10-22"),
        # A day of the reader's zone, midnight to midnight, is one day.
        ("2026-12-24T23:00", "2026-12-25T23:00", "2026-12-25", "2026-12-25"),
        # The day on which the clocks go back has 25 hours.
        ("2026-10-24T22:00", "2026-10-25T23:00", "2026-10-25", "2026-10-25"),
        ("2026-12-19T23:00", "2027-01-02T05:00", "2026-12-20", "2027-01-02"),
        ("2026-12-20T12:00", None, "2026-12-20", "2026-12-20"),
    ],
)
def test_days_are_those_of_the_reader(start: str, end: str | None, first: str, last: str) -> None:
    found = entry(start, end)
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)


def test_a_bar_is_cut_by_the_week_and_days_are_hatched() -> None:
    found = entry("2026-12-17T12:00", "2026-12-22T12:00")
    first, second = weeks(
        date(2026, 12, 14), date(2026, 12, 27), [found], date(2026, 12, 20), month=12
    )
    (bar,) = first.bars
    assert (bar.column, bar.length, bar.from_before, bar.goes_on) == (4, 4, False, True)
    (bar,) = second.bars
    assert (bar.column, bar.length, bar.from_before, bar.goes_on) == (1, 2, True, False)
    assert [day.is_frozen for day in first.days] == [False] * 3 + [True] * 4
    assert first.days[6].is_today
    assert bar.classes == "d1 n2"


def test_the_agenda_begins_with_what_goes_on_already() -> None:
    found = [entry("2026-12-17T12:00", "2026-12-22T12:00"), entry("2026-12-21T12:00", None)]
    days = agenda(date(2026, 12, 20), date(2026, 12, 30), found, date(2026, 12, 20))
    assert [day.day.day for day in days] == [20, 21]
    assert [len(day.entries) for day in days] == [1, 1]


@pytest.fixture
def frozen(company: Company) -> Freeze:
    return Freeze.objects.create(
        scope="track",
        track=company.orgs["Production"].track,
        name="Year end",
        reason="Books.",
        zone="Europe/Berlin",
        starts_at=company.now + timedelta(days=1),
        ends_at=company.now + timedelta(days=4),
        created_by=company.people["marek"],
    )


def shown(company: Company, query: str = "", who: str = "ana") -> str:
    client = Client()
    client.force_login(company.people[who])
    answer = client.get(f"/calendar/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("view", ["month", "week", "agenda"])
def test_each_view_shows_freezes_and_trains(company: Company, frozen: Freeze, view: str) -> None:
    at = (company.now + timedelta(days=2)).date().isoformat()
    page = shown(company, f"?view={view}&at={at}")
    assert "Year end" in page
    assert frozen.get_absolute_url() in page
    assert 'rel="next"' in page


def test_filters_are_in_the_address(company: Company, frozen: Freeze) -> None:
    at = (company.now + timedelta(days=2)).date().isoformat()
    production = company.orgs["Production"].public_id
    sales = company.orgs["Sales CI"].public_id
    for query, found in (
        ("track=production", True),
        ("track=sales", False),
        ("team=sales", False),
        (f"environment={production}", True),
        (f"environment={sales}", False),
        ("environment=E-99999", True),
        ("view=nonsense&at=nonsense", True),
    ):
        assert ("Year end" in shown(company, f"?at={at}&{query}")) is found, query


def test_the_number_of_queries_does_not_grow(company: Company, frozen: Freeze) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(company)
        return len(queries)

    count()
    before = count()
    for number in range(20):
        Freeze.objects.create(
            scope="everything",
            name=f"Freeze {number}",
            reason="Books.",
            zone="UTC",
            starts_at=company.now,
            ends_at=company.now + timedelta(hours=number + 1),
            every="week",
            created_by=company.people["marek"],
        )
    assert count() <= before


def test_buttons_are_for_those_who_may(company: Company) -> None:
    assert "Emergency stop…" in shown(company, who="ana")
    lead = shown(company, who="priya")
    assert "Emergency stop…" not in lead
    assert "Add freeze…" in lead


def test_home_names_the_next_freeze_of_production(company: Company, frozen: Freeze) -> None:
    client = Client()
    client.force_login(company.people["ana"])
    page = client.get("/").content.decode()
    assert f'<a href="{frozen.get_absolute_url()}">Year end</a>' in page
    assert 'class="frozen"' in page
