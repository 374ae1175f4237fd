"""The history: recording, sentences, searching, paging, the file."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core import clock, csvfile, refs
from core.context import Actor, NoActor, acting_as, request_scope
from core.digests import canonical_json, sha256_text
from governance import audit, events
from governance.audit import Filters, Subject
from governance.events import EventError
from governance.models import AuditEvent, Team
from governance.selectors import history
from governance.templatetags.history import local_day, mark_icon, mark_state, sentence
from tests.governance.world import World, acting, ask, decide

ANA = Actor("person", 1, "Ana Lima")
WORKER = Actor("worker", None, "deploy worker host/1")
R42 = Subject("release", 42, "R-42", "October train")


@pytest.fixture(autouse=True)
def _events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_known", dict(events._known))
    events.register_events(
        {
            "test.noted": "noted {what} about {subject}",
            "test.kept": "kept {subject}",
        }
    )


def note(
    what: Any = "something",
    subject: Subject = R42,
    actor: Actor = ANA,
    event: str = "test.noted",
    **given: Any,
) -> AuditEvent:
    facts = {"what": what} if event == "test.noted" else {}
    with acting_as(actor), transaction.atomic():
        number = audit.record(event, subject, facts=facts, **given)
    return AuditEvent.objects.get(pk=number)


@pytest.mark.django_db
def test_an_event_is_a_sentence_with_its_facts() -> None:
    with request_scope("req-1"):
        event = note("this", related=["D-7"], team="sales")
    assert event.sentence == "Ana Lima noted this about October train"
    assert event.related == ["R-42", "D-7"]
    assert (event.team, event.actor_id, event.actor_kind) == ("sales", 1, "person")
    body = json.loads(event.body)
    assert body["facts"] == {"what": "this"}
    assert body["request"] == "req-1"
    assert event.body == canonical_json(body).decode()


@pytest.mark.django_db
def test_machines_speak_as_gatehouse_and_keep_their_name() -> None:
    event = note("this", actor=WORKER)
    assert event.sentence == "Gatehouse noted this about October train"
    assert (event.actor_name, event.actor_kind, event.actor_id) == (WORKER.name, "worker", None)


@pytest.mark.django_db
def test_an_unknown_event_and_a_missing_fact_raise_and_leave_nothing() -> None:
    with acting_as(ANA), transaction.atomic():
        with pytest.raises(EventError, match="not registered"):
            audit.record("test.unheard_of", R42)
        with pytest.raises(EventError, match="lacks what"):
            audit.record("test.noted", R42)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_nobody_writes_history() -> None:
    with pytest.raises(NoActor), transaction.atomic():
        audit.record("test.kept", R42)


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused() -> None:
    with acting_as(ANA), pytest.raises(RuntimeError, match="transaction"):
        audit.record("test.kept", R42)


def _fail_after_recording() -> None:
    with acting_as(ANA), transaction.atomic():
        audit.record("test.kept", R42)
        raise KeyError("the change failed")


@pytest.mark.django_db
def test_i33_no_event_survives_a_rollback() -> None:
    with pytest.raises(KeyError, match="the change failed"):
        _fail_after_recording()
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fact", "words", "kept"),
    [
        (["a", "b", "c"], "a, b and c", ["a", "b", "c"]),
        ([], "none", []),
        (None, "none", None),
        (True, "yes", True),
        (3, "3", 3),
        (1.5, "1.5", "1.5"),
        (sha256_text(b""), "e3b0c44", sha256_text(b"")),
        ("nul\0 and half \ud800", "nul\ufffd and half ?", "nul\ufffd and half ?"),
        (
            datetime(2026, 10, 20, 17, 31, tzinfo=UTC),
            "20 Oct 2026 17:31 UTC",
            "2026-10-20T17:31:00Z",
        ),
        ("{subject} %s", "{subject} %s", "{subject} %s"),
    ],
    ids=["list", "empty", "none", "yes", "number", "float", "digest", "odd", "time", "braces"],
)
def test_facts_are_kept_exactly_and_told_readably(fact: Any, words: str, kept: Any) -> None:
    event = note(fact)
    assert event.sentence == f"Ana Lima noted {words} about October train"
    assert json.loads(event.body)["facts"]["what"] == kept


@pytest.mark.django_db
def test_an_entity_tells_its_own_name(world: World) -> None:
    with acting(world.ana), transaction.atomic():
        number = audit.record("test.kept", world.sales, related=[world.production.policy])
    event = AuditEvent.objects.get(pk=number)
    assert event.sentence == "Ana Lima kept Sales"
    assert event.related == ["team:sales", world.production.policy.public_id]
    assert event.subject_kind == "team"


@pytest.mark.parametrize("name", ["Upper.case", "single", "a..b", "a.b-c", ""])
def test_an_event_needs_a_dotted_name(name: str) -> None:
    with pytest.raises(ValueError, match="dotted"):
        audit.register_events({name: "did it"})


def test_one_event_has_one_sentence() -> None:
    audit.register_events({"test.kept": "kept {subject}"})
    with pytest.raises(ValueError, match="twice"):
        audit.register_events({"test.kept": "threw {subject} away"})


def test_every_registered_event_can_be_told() -> None:
    for name, kind in audit.known_events().items():
        fields = {field for _, field, _, _ in Formatter().parse(kind.template) if field}
        told = events.sentence(name, actor="Ana", subject="R-42", facts=dict.fromkeys(fields, "x"))
        assert told.startswith("Ana ")
        assert "{" not in told
        assert not told.endswith(".")


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=4))
def test_an_enumeration_has_one_and(words: list[str]) -> None:
    told = events.enumeration(words)
    assert told.count(" and ") == (1 if len(words) > 1 else 0)
    assert all(word in told for word in words)


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def many(db: None, monkeypatch: pytest.MonkeyPatch) -> list[AuditEvent]:
    """Twelve events, three per moment, oldest first."""
    start = datetime(2026, 10, 1, 12, tzinfo=UTC)
    made = []
    for number in range(12):
        at = start + timedelta(days=number // 3)
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        made.append(note(f"thing {number}", Subject("release", number, f"R-{number + 1}")))
    return made


def walk(filters: Filters, size: int) -> list[list[int]]:
    pages, cursor = [], ""
    while True:
        page = audit.search(filters, cursor=cursor, size=size)
        pages.append([event.pk for event in page.events])
        if not page.older:
            return pages
        cursor = page.older


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 12, 50])
def test_paging_shows_every_event_once_newest_first(many: list[AuditEvent], size: int) -> None:
    pages = walk(Filters(), size)
    assert [pk for page in pages for pk in page] == [event.pk for event in reversed(many)]
    assert all(len(page) == size for page in pages[:-1])


@pytest.mark.parametrize("walked", [0, 1, 4, 100])
def test_two_filters_show_every_event_once_newest_first(
    many: list[AuditEvent], monkeypatch: pytest.MonkeyPatch, walked: int
) -> None:
    monkeypatch.setattr(history, "WALK", walked)
    for size in (1, 2, 5):
        pages = walk(Filters(words="thing", group="test"), size)
        assert [pk for page in pages for pk in page] == [event.pk for event in reversed(many)]


def test_paging_leads_back_to_where_it_came_from(many: list[AuditEvent]) -> None:
    first = audit.search(Filters(), size=5)
    second = audit.search(Filters(), cursor=first.older, size=5)
    back = audit.search(Filters(), cursor=second.newer, size=5)
    assert first.newer == ""
    assert [event.pk for event in back.events] == [event.pk for event in first.events]
    assert back.newer == ""
    assert back.older != ""


def test_events_that_arrive_meanwhile_shift_no_page(many: list[AuditEvent]) -> None:
    first = audit.search(Filters(), size=5)
    note("late")
    second = audit.search(Filters(), cursor=first.older, size=5)
    assert [event.pk for event in second.events] == [event.pk for event in many[2:7][::-1]]


@pytest.mark.parametrize(
    "cursor", ["x", "o", "o1", "o1-", "n-1-2", "o9" * 20, "o" + "9" * 16 + "-1"]
)
def test_an_unreadable_cursor_shows_the_newest(many: list[AuditEvent], cursor: str) -> None:
    assert audit.search(Filters(), cursor=cursor, size=1).events == [many[-1]]


def found(**given: Any) -> list[str]:
    page = audit.search(Filters(**given), size=50)
    return [str(event.sentence).split("noted ")[-1].split(" about")[0] for event in page.events]


def test_filters_narrow(many: list[AuditEvent]) -> None:
    day = datetime(2026, 10, 2, 12, tzinfo=UTC)
    assert found(refs=("R-5",)) == ["thing 4"]
    assert found(words="THING r-12") == ["thing 11"]
    assert found(since=day, until=day + timedelta(days=1)) == ["thing 5", "thing 4", "thing 3"]
    assert found(since=day, until=day) == []
    assert found(person=2) == []
    assert len(found(person=1)) == 12
    assert found(group="policy") == []
    assert len(found(group="test")) == 12
    assert found(words="100%") == []


def test_a_public_id_among_the_words_finds_the_whole_story(many: list[AuditEvent]) -> None:
    event = note("a detail", Subject("deployment", 9, "D-9"), related=["R-5"])
    assert event.pk in [each.pk for each in audit.search(Filters(words="r-5")).events]


def test_a_person_s_history_is_what_they_did_and_what_was_done_to_them(world: World) -> None:
    page = audit.search(Filters(person=world.dev.pk))
    assert [event.sentence for event in page.events] == [
        "Ana Lima made Dev Patel developer of Sales"
    ]


def test_a_team_s_history_holds_what_happened_in_it(world: World) -> None:
    told = [event.sentence for event in audit.search(Filters(team="sales")).events]
    assert told[-1] == "Ana Lima created the team Sales"
    assert len(told) == 3


def test_a_story_is_newest_first_and_limited(world: World) -> None:
    request = ask(world)
    decide(world.ben, request)
    story = audit.events_for("R-42", limit=1)
    assert [event.event for event in story] == ["approval.approved"]
    assert len(audit.events_for("R-42")) == 2


def test_the_file_streams_every_match(many: list[AuditEvent]) -> None:
    assert [event.pk for event in history.stream(Filters(refs=("R-5",)))] == [many[4].pk]


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "|x", "%x", "＝1"),
        *("\u00a0=1", "\u3000＝1", "\ufeff=1", "\u200b=1", "\u202e=1", "\x0b=1", "\u3164=1"),
        " \u200b \t@x",
    ],
)
def test_no_cell_is_run_as_a_formula(text: str) -> None:
    (row,) = csv.reader(
        io.StringIO("".join(csvfile.lines([], [[text, "fine"]])).split("\r\n", 1)[1])
    )
    assert row == [f"'{text}", "fine"]


def test_no_cell_is_cut_in_two_where_lists_are_separated_otherwise() -> None:
    written = "".join(csvfile.lines([], [["x;=1+1", "a\t=1+1", "plain"]])).split("\r\n", 1)[1]
    assert written == '"x;=1+1","a\t=1+1",plain\r\n'


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1)
)
def test_every_cell_comes_out_of_the_file_as_text(cells: list[str]) -> None:
    written = "".join(csvfile.lines(["head"], [cells]))
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert rows[0] == ["head"]
    assert rows[1] == [csvfile.cell(text) for text in cells]


# ── On the page ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refs, "_routes", {"H": "governance:event"})


@pytest.mark.django_db
@pytest.mark.usefixtures("routes")
def test_a_sentence_has_its_actor_in_bold_and_links_what_has_a_page() -> None:
    event = note("H-7 and Z-9", Subject("release", 42, "R-42", "R-42"))
    assert sentence(event) == (
        '<b>Ana Lima</b> noted <a class="ref" href="/history/H-7/">H-7</a> and Z-9 about R-42'
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("routes")
def test_whatever_people_wrote_is_escaped() -> None:
    event = note("<script>H-1</script>", actor=Actor("person", 1, "<i>Ana</i>"))
    html = sentence(event)
    assert "<script>" not in html
    assert html.startswith("<b>&lt;i&gt;Ana&lt;/i&gt;</b> noted &lt;script&gt;<a ")


@pytest.mark.django_db
def test_marks_follow_the_kind_of_event_and_old_kinds_still_show() -> None:
    event = note()
    assert (mark_state(event), mark_icon(event)) == ("", "history")
    event.event = "approval.approved"
    assert (mark_state(event), mark_icon(event)) == ("done", "approve")
    event.event = "of.an_older_version"
    assert (mark_state(event), mark_icon(event)) == ("", "history")


@pytest.mark.django_db
def test_days_are_those_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    late = datetime(2026, 10, 1, 23, 30, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: late)
    event = note()
    with timezone.override("Asia/Tokyo"):
        assert str(local_day(event)) == "2026-10-02"
    with timezone.override("America/Lima"):
        assert str(local_day(event)) == "2026-10-01"


@pytest.mark.django_db
def test_a_team_is_named_in_history_by_a_name_that_never_changes() -> None:
    team = Team(slug="sales", name="Sales")
    assert (team.audit_ref, team.audit_label) == ("team:sales", "Sales")
