"""Reading answers the way people read pages: words, buttons, sections."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client
from lxml import html


def page_of(client: Client, address: str, **headers: str) -> Any:
    """Open a page that must be there."""
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, address
    return read(answer)


def read(answer: HttpResponse | Any) -> Any:
    """Parse an answer, whatever its status."""
    return html.fromstring(answer.content)


def words(element: Any) -> str:
    """Everything an element says, with single spaces."""
    return " ".join(element.text_content().split())


def section(page: Any, name: str) -> Any:
    """The section with this id, or whose heading has it."""
    found = page.xpath(f"//section[@id='{name}' or @aria-labelledby='h-{name}']")
    assert found, f"no section {name}"
    return found[0]


def button(page: Any, label: str) -> Any:
    """The one button with this label."""
    found = [part for part in page.xpath("//button") if words(part) == label]
    assert len(found) == 1, f"{len(found)} buttons {label}"
    return found[0]


def labels(page: Any) -> list[str]:
    """Labels of all buttons and of links that look like buttons."""
    parts = page.xpath("//main//button | //main//a[contains(@class, 'btn')] | //main//summary")
    return [words(part) for part in parts]


def is_off(part: Any) -> bool:
    """Whether a control is disabled."""
    return part.get("disabled") is not None


def notices(page: Any) -> list[str]:
    """What the page tells in notices."""
    return [words(part) for part in page.xpath("//*[contains(@class, 'notice')]")]
