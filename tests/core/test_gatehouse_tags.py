"""The template tags: their markup, and that nothing people wrote becomes markup."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone
from lxml import html

from core.templatetags import gatehouse as tags

HOSTILE = "<img src=x onerror=alert(1)>\"'&"
NOW = datetime(2026, 10, 20, 15, 46, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
SYMBOLS = set(re.findall(r'<symbol id="([a-z-]+)"', (ROOT / "static/icons.svg").read_text()))


def render(source: str, **context: Any) -> str:
    return Template("{% load gatehouse %}" + source).render(Context(context))


def element(source: str, **context: Any) -> html.HtmlElement:
    return html.fromstring(render(source, **context))


@pytest.fixture(autouse=True)
def _berlin() -> Any:
    with timezone.override("Europe/Berlin"), time_machine.travel(NOW, tick=False):
        yield


@dataclass(frozen=True)
class Thing:
    public_id: str

    def get_absolute_url(self) -> str:
        return f"/things/{self.public_id}/"


@dataclass(frozen=True)
class Reason:
    code: str
    text: str
    state: str = "held"
    url: str = ""


HOSTILE_USES = {
    "icon": "{% icon x x %}",
    "state": "{% state 'done' x %}",
    "ref": "{% ref thing %}",
    "digest": "{% digest x x %}",
    "reasons": "{% reasons lines %}",
    "reason objects": "{% reasons objects %}",
    "bar": "{% bar 1 2 x x %}",
    "short digest": "{{ x|short_digest:x }}",
    "widget": "{% widget form.name %}",
}


class NameForm(forms.Form):
    name = forms.CharField(help_text="As on the badge")
    yes = forms.BooleanField()
    code = forms.CharField(widget=forms.TextInput(attrs={"class": "code"}))


@pytest.mark.parametrize("use", HOSTILE_USES)
def test_what_people_wrote_never_becomes_markup(use: str) -> None:
    text = render(
        HOSTILE_USES[use],
        x=HOSTILE,
        thing=Thing(HOSTILE),
        lines=[HOSTILE],
        objects=[Reason("c", HOSTILE, state=HOSTILE, url=HOSTILE)],
        form=NameForm({"name": HOSTILE}),
    )
    page: Any = html.fromstring(f"<div>{text}</div>")
    assert not page.xpath("//img")
    assert not page.xpath("//@onerror")
    assert "<img" not in text


def test_every_tag_that_takes_text_is_in_the_list_of_hostile_uses() -> None:
    without_text = {"when", "age", "clocktime", "timeofday", "took", "back_url"}
    used = {tag for source in HOSTILE_USES.values() for tag in re.findall(r"{% (\w+)", source)}
    assert used | without_text == set(tags.register.tags)


def test_an_icon_is_decoration_unless_it_has_a_label() -> None:
    silent, told = element("{% icon 'done' %}"), element("{% icon 'lock' 'Booked' %}")
    assert silent.get("aria-hidden") == "true"
    assert (told.get("role"), told.get("aria-label")) == ("img", "Booked")


def test_a_state_has_colour_shape_and_word() -> None:
    mark = element("{% state 'failed' 'Rejected' %}")
    assert mark.get("data-state") == "failed"
    assert mark.text_content() == "Rejected"
    assert mark.xpath(".//*[local-name()='use']/@href")[0].endswith("#failed")


def test_an_unknown_state_is_a_mistake_in_the_code() -> None:
    with pytest.raises(ValueError, match="purple"):
        render("{% state 'purple' 'x' %}")


def test_every_state_has_its_own_silhouette() -> None:
    assert tags.STATES <= SYMBOLS


@pytest.mark.parametrize(
    "template", sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("templates/**/*.html"))
)
def test_templates_name_only_icons_that_exist(template: str) -> None:
    source = (ROOT / template).read_text()
    named = re.findall(r'{% icon "([^"]+)"', source) + re.findall(
        r"icons\.svg' %}#([a-z-]+)", source
    )
    assert set(named) <= SYMBOLS


def test_a_ref_links_the_public_id() -> None:
    link = element("{% ref thing %}", thing=Thing("R-42"))
    assert (link.get("href"), link.text, link.get("class")) == ("/things/R-42/", "R-42", "ref")


def test_a_digest_shows_seven_characters_and_keeps_the_whole_at_hand() -> None:
    whole = "sha256:9f3c2e1b7a40d2c85e6617f09ab3d4418c52e0f97d36a1b80e4c295d13f86a72"
    mark = element("{% digest whole 'A' %}", whole=whole)
    assert mark.xpath("string(code)") == "A·9f3c2e1"
    assert mark.xpath("code/@title") == [whole]
    assert mark.xpath("button/@data-copy") == [whole]
    assert mark.xpath("button/@aria-label") == ["Copy A·9f3c2e1"]


@pytest.mark.parametrize("empty", ["", None])
def test_a_missing_digest_is_a_dash(empty: str | None) -> None:
    assert element("{% digest value %}", value=empty).text == "–"


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (timedelta(), "now"),
        (timedelta(hours=2, minutes=10), "in 2 h 10 min"),
        (-timedelta(minutes=9, seconds=21), "9 min ago"),
        (-timedelta(seconds=21), "21 s ago"),
        (-timedelta(days=7), "7 d ago"),
        (-timedelta(days=60), "21 Aug"),
        (timedelta(days=90), "18 Jan 2027"),
    ],
)
def test_when_says_how_far_away_a_moment_is(delta: timedelta, words: str) -> None:
    assert element("{% when at %}", at=NOW + delta).text == words


@pytest.mark.parametrize("tag", ["when", "age", "timeofday"])
def test_a_relative_time_keeps_both_exact_times_in_its_title(tag: str) -> None:
    mark = element("{% " + tag + " at %}", at=NOW)
    assert mark.get("title") == "Tue 20 Oct 17:46 CEST, 15:46 UTC"
    assert mark.get("datetime") == "2026-10-20T15:46:00Z"


@pytest.mark.parametrize("tag", ["when", "age", "clocktime", "timeofday"])
def test_a_moment_that_never_came_is_a_dash(tag: str) -> None:
    assert element("{% " + tag + " at %}", at=None).text == "–"


def test_an_age_has_one_unit() -> None:
    assert element("{% age at %}", at=NOW - timedelta(days=7, hours=5)).text == "7 d"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Berlin", "Tue 20 Oct 17:46 CEST"),
        ("America/Sao_Paulo", "Tue 20 Oct 12:46 UTC-03"),
        ("UTC", "Tue 20 Oct 15:46 UTC"),
    ],
)
def test_an_exact_time_is_in_the_persons_zone_with_utc_in_the_title(zone: str, words: str) -> None:
    with timezone.override(zone):
        mark = element("{% clocktime at %}", at=NOW)
    assert mark.text == words
    assert mark.get("title") == "Tue 20 Oct 2026 15:46 UTC"


def test_an_exact_time_of_another_year_names_it() -> None:
    at = datetime(2025, 1, 2, 8, tzinfo=UTC)
    assert element("{% clocktime at %}", at=at).text == "Thu 2 Jan 2025 09:00 CET"


def test_took_uses_the_usual_length_when_there_is_one() -> None:
    assert render("{% took 740 2280 %}") == "12 of ~38 min"
    assert render("{% took 220 %}") == "3 min 40 s"
    assert render("{% took none %}", none=None) == "–"


def test_reasons_take_sentences_and_objects_and_keep_their_state() -> None:
    lines = ["needs 1 more approval", Reason("gate.freeze", "freeze Year end", "held", "/f/")]
    items = element("{% reasons lines %}", lines=lines).xpath("li")
    assert [item.get("data-state") for item in items] == ["waiting", "held"]
    assert [item.text_content() for item in items] == [lines[0], "freeze Year end"]
    assert items[1].xpath(".//a/@href") == ["/f/"]


def test_no_reasons_leave_nothing_behind() -> None:
    assert render("{% reasons lines %}", lines=[]) == ""


def test_a_bar_is_a_native_progress_with_its_numbers_in_words() -> None:
    mark = element("{% bar 796 1284 'Tests' %}")
    assert mark.xpath("progress/@value | progress/@max") == ["796", "1284"]
    assert mark.xpath("progress/@aria-label") == ["Tests"]
    assert mark.xpath("string(output)") == "796 of 1,284"


def test_a_bar_of_nothing_is_empty_and_one_that_overflows_is_full() -> None:
    assert element("{% bar 0 0 'Tests' %}").xpath("progress/@max") == ["1"]
    assert element("{% bar 9 5 'Tests' %}").xpath("progress/@value") == ["5"]


def test_a_widget_takes_the_products_class_and_keeps_its_own() -> None:
    form = NameForm()
    assert element("{% widget f %}", f=form["name"]).get("class") == "input"
    assert element("{% widget f %}", f=form["code"]).get("class") == "input code"
    assert element("{% widget f %}", f=form["yes"]).get("class") is None


def test_a_field_in_error_points_to_its_message_and_its_hint() -> None:
    form = NameForm({"name": "", "code": "1", "yes": "on"})
    page: Any = html.fromstring(
        Template("{% include 'partials/_field.html' %}").render(Context({"field": form["name"]}))
    )
    control = page.xpath(".//input")[0]
    told = [page.get_element_by_id(name) for name in control.get("aria-describedby").split()]
    assert [part.text_content().strip() for part in told] == [
        "As on the badge",
        "This field is required.",
    ]
    assert control.get("aria-invalid") == "true"


def test_the_summary_links_every_field_that_needs_the_person() -> None:
    form = NameForm({})
    page: Any = html.fromstring(
        Template("{% include 'partials/_form_errors.html' %}").render(Context({"form": form}))
    )
    assert "3 fields need you." in page.text_content()
    assert page.xpath(".//a/@href") == ["#id_name", "#id_yes", "#id_code"]


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        ("http://testserver/releases/R-1/", "http://testserver/releases/R-1/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_back_leads_only_to_our_own_pages(came_from: str, back: str) -> None:
    request = RequestFactory().get("/", HTTP_REFERER=came_from)
    assert render("{% back_url %}", request=request) == back


def test_no_template_carries_inline_script_style_or_handlers() -> None:
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*\bsrc=)|javascript:", re.I)
    pages = list((ROOT / "templates").glob("**/*.html"))
    assert pages
    assert [str(path) for path in pages if inline.search(path.read_text())] == []
