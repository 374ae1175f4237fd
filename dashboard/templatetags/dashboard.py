"""What the frame of every page shows of the dashboard: how many things wait for the person."""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from core.templatetags.gatehouse import icon
from governance import inbox

register = template.Library()


@register.simple_tag(takes_context=True)
def inbox_badge(context: Context, is_update: bool = False) -> SafeString:
    """Draw the inbox in the top bar with the number of things that wait; none shows no badge.

    The home page has counted already and passes ``waiting`` in its context; in its live part the
    badge is an update that htmx puts in the place of the old one.
    """
    waiting = context.get("waiting")
    number = len(inbox.waiting_for(context["user"]) if waiting is None else waiting)
    label = (
        ngettext("Inbox, %(n)s waiting", "Inbox, %(n)s waiting", number) % {"n": number}
        if number
        else gettext("Inbox, nothing waiting")
    )
    badge = format_html('<span class="badge">{}</span>', number) if number else ""
    return format_html(
        '<a class="icon-btn" id="inbox" href="{}#waiting" aria-label="{}"{}>{}{}</a>',
        reverse("dashboard:home"),
        label,
        SafeString(' hx-swap-oob="true"') if is_update else "",
        icon("inbox"),
        badge,
    )
