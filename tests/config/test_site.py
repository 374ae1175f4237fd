"""What every answer of the site carries, and whether it is well."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client

from config.routers import OwnerMigrates


@pytest.mark.django_db
def test_healthz_answers_while_the_database_does(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_healthz_fails_without_the_database(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed")

    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert b"10.0.0.1" not in answer.content


@pytest.mark.django_db
def test_nothing_inline_and_nothing_foreign_is_allowed(client: Client) -> None:
    policy = client.get("/healthz").headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert directives["style-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy


def test_cookies_are_out_of_reach_of_scripts() -> None:
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.CSRF_COOKIE_HTTPONLY


def test_djangos_admin_and_rqs_pages_are_not_installed() -> None:
    assert not {"django.contrib.admin", "django_rq"} & set(settings.INSTALLED_APPS)


@pytest.mark.parametrize(("alias", "may"), [("owner", True), ("default", False)])
def test_only_the_owner_migrates(alias: str, may: bool) -> None:
    assert OwnerMigrates().allow_migrate(alias, "jobs") is may
