"""The marks of the product as template tags: icons, states, ids, digests, times, progress.

Every tag builds its markup with ``format_html``, so what people or orgs wrote is always escaped.
``{% load gatehouse %}`` and then::

    {% icon "done" %}                      16 px silhouette from icons.svg, hidden from readers
    {% state "done" "Passed" %}            icon + word in the colour of the state
    {% ref release %}                      R-42, linked to the object's page
    {% digest value "A" %}                 A·9f3c2e1 with the whole value in title and a copy button
    {% when dt %}  {% age dt %}            in 2 h 10 min  /  40 min   (exact times in title)
    {% clocktime dt %}                     Tue 20 Oct 17:46 CEST (UTC in title)
    {% took seconds %}  {% took s usual %} 3 min 40 s  /  12 of ~38 min
    {% reasons verdict.reasons %}          why an action is blocked, one sentence a line
    {% bar done total "Tests" %}           native progress with its numbers
    {% widget field %}                     a form control with the product's classes
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol

from django import template
from django.contrib.messages.storage.base import Message
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core import clock, durations

register = template.Library()

STATES = frozenset({"done", "running", "waiting", "held", "failed", "unknown", "none"})
DIGEST_CHARACTERS = 7
FAR_SECONDS = 45 * 86_400  # beyond this a date says more than a number of days


class Referable(Protocol):
    """An object with a page and a short public id."""

    @property
    def public_id(self) -> str: ...

    def get_absolute_url(self) -> str: ...


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw one symbol of icons.svg; with a label it is read aloud, without it is decoration."""
    href = f"{static('icons.svg')}#{name}"
    if not label:
        return format_html('<svg class="i" aria-hidden="true"><use href="{}"/></svg>', href)
    return format_html(
        '<svg class="i" role="img" aria-label="{}"><title>{}</title><use href="{}"/></svg>',
        label,
        label,
        href,
    )


@register.simple_tag
def state(data_state: str, word: str) -> SafeString:
    """Show a state by colour, silhouette and word; an unheard-of state is a mistake in the code."""
    if data_state not in STATES:
        raise ValueError(f"{data_state!r} is none of {', '.join(sorted(STATES))}")
    return format_html(
        '<span class="state" data-state="{}">{}{}</span>', data_state, icon(data_state), word
    )


@register.simple_tag
def ref(thing: Referable) -> SafeString:
    """Link an object's public id to its page."""
    return format_html('<a class="ref" href="{}">{}</a>', thing.get_absolute_url(), thing.public_id)


@register.simple_tag
def digest(value: str | None, kind: str = "") -> SafeString:
    """Show 7 characters of a digest or commit, the whole one in the title, and a copy button."""
    if not value:
        return format_html('<span class="muted">{}</span>', "–")
    shown = short_digest(value, kind)
    return format_html(
        '<span class="digest"><code title="{}" data-whole>{}</code>'
        '<button class="copy" type="button" data-copy="{}" aria-label="{}">{}</button></span>',
        value,
        shown,
        value,
        gettext("Copy %(value)s") % {"value": shown},
        icon("copy"),
    )


@register.simple_tag
def when(at: datetime | None) -> SafeString:
    """Say how far away a moment is; its exact time in the person's zone and UTC is in the title."""
    if at is None:
        return _missing()
    seconds = (at - clock.now()).total_seconds()
    if abs(seconds) > FAR_SECONDS:
        return _time(at, _day(at), _exact(at))
    if abs(seconds) < 1:
        return _time(at, gettext("now"), _exact(at))
    text = gettext("in %(span)s") if seconds > 0 else gettext("%(span)s ago")
    return _time(at, text % {"span": durations.spell_distance(abs(seconds))}, _exact(at))


@register.simple_tag
def age(at: datetime | None) -> SafeString:
    """Say how long ago a moment was, in one unit and without "ago": ``40 min``."""
    if at is None:
        return _missing()
    seconds = (clock.now() - at).total_seconds()
    if seconds > FAR_SECONDS:
        return _time(at, _day(at), _exact(at))
    return _time(at, durations.spell_short(seconds), _exact(at))


@register.simple_tag
def clocktime(at: datetime | None) -> SafeString:
    """Show a moment exactly, in the person's zone with its name; UTC is in the title."""
    if at is None:
        return _missing()
    return _time(at, _local(at), format_date(at.astimezone(UTC), "D j M Y H:i") + " UTC")


@register.simple_tag
def timeofday(at: datetime | None) -> SafeString:
    """Show only hours and minutes in the person's zone, under a heading that names the day."""
    if at is None:
        return _missing()
    return _time(at, format_date(timezone.localtime(at), "H:i"), _exact(at))


@register.simple_tag
def took(seconds: float | None, expected: float | None = None) -> str:
    """Say a length of time, with the usual length when it is known: ``12 of ~38 min``."""
    if seconds is None:
        return "–"
    return durations.spell_progress(seconds, expected)


@register.simple_tag
def reasons(lines: Iterable[object], data_state: str = "waiting") -> SafeString:
    """List why something is not possible now, one sentence a line.

    A line is a string, or any object with ``reason``, ``text`` or ``message`` and optionally
    ``state`` (one of the four states) and ``url``.
    """
    items = [_reason(line, data_state) for line in lines]
    if not items:
        return SafeString("")
    return format_html('<ul class="reasons">{}</ul>', format_html_join("", "{}", items))


@register.simple_tag
def bar(done: int, total: int, label: str, data_state: str = "") -> SafeString:
    """Show progress with a native element, its label before it and its numbers behind it."""
    numbers = gettext("%(done)s of %(total)s") % {"done": count(done), "total": count(total)}
    return format_html(
        '<div class="bar"{}><span>{}</span><progress value="{}" max="{}" aria-label="{}">{}'
        "</progress><output>{}</output></div>",
        format_html(' data-state="{}"', data_state) if data_state else "",
        label,
        min(done, total),
        max(total, 1),
        label,
        numbers,
        numbers,
    )


@register.simple_tag(takes_context=True)
def back_url(context: template.Context) -> str:
    """Give the page the person came from when it is one of ours, else the first page."""
    request = context["request"]
    came_from = request.META.get("HTTP_REFERER", "")
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}, request.is_secure()):
        return str(came_from)
    return "/"


@register.filter
def short_digest(value: str, kind: str = "") -> str:
    """Shorten a digest for a sentence: ``A·9f3c2e1``."""
    short = value.rpartition(":")[2][:DIGEST_CHARACTERS]
    return f"{kind}·{short}" if kind else short


@register.filter
def count(number: int | None) -> str:
    """Group thousands, so that 1,284 and 12,840 differ at a glance."""
    return "–" if number is None else number_format(number, force_grouping=True)


@register.filter
def message_state(message: Message) -> str:
    """Give a Django message the state whose colour and icon it takes."""
    return {"success": "done", "warning": "waiting", "error": "failed"}.get(
        message.level_tag, "running"
    )


@register.simple_tag
def widget(field: BoundField) -> SafeString:
    """Draw a form control with the product's class; hints and errors are tied in by Django."""
    if field.widget_type in {"checkbox", "radioselect", "checkboxselectmultiple"}:
        return field.as_widget()
    given = field.field.widget.attrs.get("class", "")
    return field.as_widget(attrs={"class": f"input {given}".strip()})


def _missing() -> SafeString:
    return format_html('<span class="muted">{}</span>', "–")


def _time(at: datetime, text: str, title: str) -> SafeString:
    stamp = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return format_html('<time datetime="{}" title="{}">{}</time>', stamp, title, text)


def _exact(at: datetime) -> str:
    return f"{_local(at)}, {format_date(at.astimezone(UTC), 'H:i')} UTC"


def _local(at: datetime) -> str:
    local = timezone.localtime(at)
    pattern = "D j M H:i" if local.year == timezone.localtime(clock.now()).year else "D j M Y H:i"
    return f"{format_date(local, pattern)} {zone_word(local)}"


def _day(at: datetime) -> str:
    local = timezone.localtime(at)
    this_year = local.year == timezone.localtime(clock.now()).year
    return format_date(local, "j M" if this_year else "j M Y")


def zone_word(local: datetime) -> str:
    """Name the zone of a local time: CEST, or UTC-03 where the zone has only a number."""
    name = local.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name


def _reason(line: object, data_state: str) -> tuple[SafeString]:
    text = line if isinstance(line, str) else _sentence(line)
    mark = str(getattr(line, "state", "") or data_state)
    url = getattr(line, "url", "")
    said = format_html('<a href="{}">{}</a>', url, text) if url else format_html("{}", text)
    return (format_html('<li data-state="{}">{}<span>{}</span></li>', mark, icon(mark), said),)


def _sentence(line: object) -> str:
    for name in ("reason", "text", "message"):
        sentence = getattr(line, name, "")
        if sentence:
            return str(sentence)
    return str(line)
