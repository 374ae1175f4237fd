"""Events of the history as sentences with names and links.

``{% load history %}`` and then::

    {% sentence event %}       the actor in bold, every public id linked to its page
    {{ event|mark_state }}     the state that colours the event's mark, or nothing
    {{ event|mark_icon }}      the name of its icon
    {{ event|local_day }}      the day it happened on in the person's zone
"""

from __future__ import annotations

import re
from datetime import date

from django import template
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from core import ids, refs
from governance.events import mark_of
from governance.models import AuditEvent

register = template.Library()


@register.simple_tag
def sentence(event: AuditEvent) -> SafeString:
    """Write an event's sentence; everything in it is escaped before links are put around ids."""
    text = str(event.sentence)
    name = str(event.actor_name)
    if event.actor_kind == "person" and text.startswith(f"{name} "):
        return format_html("<b>{}</b>{}", name, _linked(text[len(name) :]))
    return _linked(text)


@register.filter
def mark_state(event: AuditEvent) -> str:
    """Return the state that colours the event's mark."""
    return mark_of(str(event.event))[0]


@register.filter
def mark_icon(event: AuditEvent) -> str:
    """Return the icon that stands before the event."""
    return mark_of(str(event.event))[1]


@register.filter
def local_day(event: AuditEvent) -> date:
    """Return the day of the event in the person's zone."""
    return timezone.localtime(event.at).date()


def _linked(text: str) -> SafeString:
    escaped = str(escape(text))
    return mark_safe(ids.REFERENCE.sub(_link, escaped))  # noqa: S308 - escaped one line above


def _link(found: re.Match[str]) -> str:
    url = refs.url_of(found[0])
    return f'<a class="ref" href="{escape(url)}">{found[0]}</a>' if url else found[0]
