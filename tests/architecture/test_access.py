"""Every address, as every kind of person: the answer is what the view declares (I-39).

A view without a rule fails the build. Whether a request was refused is observed at the door itself
(``governance.access``), so a service's own refusal behind it is told apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import get_converters

from core.errors import NotAllowed
from governance import access
from governance.access import AccessRule
from governance.models import Team, User
from governance.permissions import CAPABILITIES
from governance.services import people
from governance.states import INSTALLATION_ROLES
from tests.governance.world import World, acting

PEOPLE = {
    "a developer": "dev",
    "a team lead": "lena",
    "a release manager": "rita",
    "a board member": "cleo",
    "an admin": "root",
    "an auditor": "otto",
    "a developer of another team": "stranger",
    "somebody without a team": "nils",
}
ROLE_OF = {
    "dev": "developer",
    "lena": "team_lead",
    "rita": "release_manager",
    "cleo": "board_member",
    "root": "admin",
    "otto": "auditor",
}
METHODS = ("get", "post")
VALUES: dict[str, str] = {
    "SlugConverter": "sales",
    "IntConverter": "987654",
    "StringConverter": "x",
}


@dataclass(frozen=True)
class Address:
    """One URL pattern with sample values in it."""

    path: str
    name: str
    view: Any

    @property
    def rule(self) -> AccessRule:
        found = self.view.access_rule
        assert isinstance(found, AccessRule)
        return found


def walk(
    patterns: list[URLPattern | URLResolver], prefix: str = "/"
) -> Iterator[tuple[str, URLPattern]]:
    for entry in patterns:
        here = prefix + sample(entry)
        if isinstance(entry, URLResolver):
            yield from walk(entry.url_patterns, here)
        else:
            yield here, entry


def sample(entry: URLPattern | URLResolver) -> str:
    """Write the pattern with values that name nothing (ids) or the team Sales (slugs)."""
    text = str(entry.pattern)
    for name, converter in entry.pattern.converters.items():
        kind = type(converter).__name__
        prefix = getattr(converter, "prefix", "")
        value = f"{prefix}-987654" if prefix else VALUES.get(kind, "987654")
        for spelled in (f"<{name}>", *(f"<{known}:{name}>" for known in spellings(converter))):
            text = text.replace(spelled, value)
    assert "<" not in text, f"the sweep has no sample value for {text}"
    return text


def spellings(converter: Any) -> list[str]:
    return [name for name, known in get_converters().items() if type(known) is type(converter)]


def all_addresses() -> list[Address]:
    found = walk(get_resolver().url_patterns)
    return [Address(path, entry.name or "", entry.callback) for path, entry in found]


def test_every_view_says_who_may_call_it() -> None:
    silent = [each.path for each in all_addresses() if not hasattr(each.view, "access_rule")]
    assert silent == []


def test_every_capability_that_a_view_asks_for_is_in_the_table() -> None:
    asked = {each.rule.capability for each in all_addresses() if each.rule.capability}
    assert asked <= set(CAPABILITIES)
    assert len(asked) > 5


def test_a_view_that_asks_a_team_s_capability_says_which_team() -> None:
    vague = [
        each.path
        for each in all_addresses()
        if each.rule.kind == "capability"
        and CAPABILITIES[each.rule.capability].scope == "team"
        and each.rule.team is None
    ]
    assert vague == []


@pytest.fixture
def door(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note every refusal at the door; whatever team a view asks about is Sales."""
    refused: list[str] = []

    class AtTheDoor(NotAllowed):
        def __init__(self, code: str, message: str, **facts: Any) -> None:
            super().__init__(code, message, **facts)
            refused.append(code)

    def sales(rule: AccessRule, request: HttpRequest, **kwargs: Any) -> Team | None:
        return world.sales if rule.team else None

    monkeypatch.setattr(access, "NotAllowed", AtTheDoor)
    monkeypatch.setattr(access, "_team_of", sales)
    return refused


@pytest.fixture
def everybody(world: World) -> dict[str, User]:
    """The world's people, an admin who is nothing else, and a developer of another team."""
    root = User.objects.create(email="root@example.com", full_name="Root Beer")
    stranger = User.objects.create(email="stranger@example.com", full_name="Stranger Danger")
    with acting(world.ana):
        other = people.create_team(name="Service")
        people.grant(user_id=root.pk, team_id=world.platform.pk, role="admin")
        people.grant(user_id=stranger.pk, team_id=other.pk, role="developer")
    return world.by_name | {"root": root, "stranger": stranger}


def may_enter(rule: AccessRule, name: str) -> bool:
    """Read the declared rule the way a person would, without the product's own code."""
    if rule.kind == "public":
        return True
    if rule.kind == "signed_in":
        return name != "nils"
    role = ROLE_OF.get(name)
    wanted = CAPABILITIES[rule.capability]
    if role is None or role not in set(map(str, wanted.roles)):
        return False
    return role in set(map(str, INSTALLATION_ROLES)) or rule.team is not None


def call(client: Client, method: str, path: str) -> Any:
    """Ask once; nothing that the request did is kept, signing out included."""
    cookies = client.cookies.copy()
    with transaction.atomic():
        response = getattr(client, method)(path)
        if response.streaming:
            b"".join(response.streaming_content)
        transaction.set_rollback(True)
    client.cookies = SimpleCookie(cookies)
    return response


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", PEOPLE, ids=list(PEOPLE))
def test_i39_every_address_answers_as_declared(
    everybody: dict[str, User], door: list[str], who: str
) -> None:
    name = PEOPLE[who]
    client = Client(raise_request_exception=False)
    client.force_login(everybody[name])
    wrong = []
    for address in all_addresses():
        for method in METHODS:
            door.clear()
            response = call(client, method, address.path)
            if response.status_code == 405:
                continue
            refused, expected = bool(door), not may_enter(address.rule, name)
            if refused != expected:
                wrong.append(f"{method} {address.path}: refused={refused}, declared={expected}")
            elif refused and response.status_code != 403:
                wrong.append(f"{method} {address.path}: {response.status_code} instead of 403")
            elif response.status_code >= 500:
                wrong.append(f"{method} {address.path}: {response.status_code}")
    assert wrong == []


@pytest.mark.timeout(300)
def test_i39_strangers_are_sent_to_sign_in(world: World) -> None:
    client = Client(raise_request_exception=False)
    sign_in = reverse("governance:sign_in")
    wrong = []
    for address in all_addresses():
        for method in METHODS:
            response = call(client, method, address.path)
            if response.status_code == 405:
                continue
            sent = response.status_code == 401 or (
                response.status_code == 302 and response["Location"].startswith(f"{sign_in}?next=")
            )
            if address.rule.kind == "public" and response.status_code >= 500:
                wrong.append(f"{method} {address.path}: {response.status_code}")
            if address.rule.kind != "public" and not sent:
                wrong.append(f"{method} {address.path}: {response.status_code} for a stranger")
    assert wrong == []
