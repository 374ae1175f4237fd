"""The one reader of the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.databases import databases, parse
from config.env import Env, EnvironmentIncomplete

COMPLETE = {
    "GATEHOUSE_ROLE": "web",
    "GATEHOUSE_SECRET_KEY": "s" * 50,
    "GATEHOUSE_BASE_URL": "https://gatehouse.example/",
    "GATEHOUSE_BLOBS_DIR": "/data/blobs",
    "GATEHOUSE_MIRRORS_DIR": "/data/mirrors",
    "DATABASE_URL": "postgresql://web:p%40ss@db.example:5433/gatehouse?sslmode=verify-full",
    "REDIS_URL": "redis://redis.example/0",
}


def problems(**changes: str) -> str:
    """Return what the reader says about a changed environment."""
    with pytest.raises(EnvironmentIncomplete) as raised:
        Env.read({**COMPLETE, **changes})
    return str(raised.value)


def test_a_complete_environment_is_read() -> None:
    env = Env.read({**COMPLETE, "GATEHOUSE_HOST": "a.example, b.example", "GIT_HOSTS": ""})
    assert env.host_names == ("a.example", "b.example")
    assert env.git_hosts == ()
    assert env.base_url == "https://gatehouse.example"


def test_nothing_said_means_production_and_real() -> None:
    env = Env.read(COMPLETE)
    assert (env.env, env.mode) == ("production", "real")


def test_every_missing_name_is_reported_at_once() -> None:
    with pytest.raises(EnvironmentIncomplete) as raised:
        Env.read({})
    for name in COMPLETE:
        assert f"{name} is missing" in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GATEHOUSE_ROLE", "root", "must be one of web, build, deploy, ticker, owner"),
        ("GATEHOUSE_ENV", "prod", "must be one of"),
        ("GATEHOUSE_SECRET_KEY", "short", "at least 50 characters"),
        ("GATEHOUSE_BASE_URL", "ftp://x", "must begin with http:// or https://"),
        ("DATABASE_URL", "mysql://x", "must begin with postgresql://"),
        ("REDIS_URL", "http://x", "must begin with redis://"),
        ("EMAIL_PORT", "smtp", "must be a whole number"),
        ("EMAIL_USE_TLS", "yes", "must be one of 0, 1"),
        ("ORG_CA_FILE", "/nowhere/ca.pem", "does not exist"),
        ("GATEHOUSE_PUBLIC_KEYS_FILE", "/nowhere/keys.json", "does not exist"),
    ],
)
def test_malformed_values_are_refused_by_name(name: str, value: str, words: str) -> None:
    said = problems(**{name: value})
    assert name in said
    assert words in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"GATEHOUSE_MODE": "demo"}, "GATEHOUSE_MODE=demo is refused"),
        ({"ORG_HOSTS": "*.localhost:8443"}, "ORG_HOSTS names the simulator"),
        ({"ORG_HOSTS": "127.0.0.1:8443"}, "ORG_HOSTS names the simulator"),
    ],
    ids=["demo", "simulator by name", "simulator by address"],
)
def test_production_refuses_development_switches(changes: dict[str, str], words: str) -> None:
    assert words in problems(**changes)


@pytest.mark.parametrize("content", ["[]", "{", '{"git": "x"}'])
def test_key_files_that_are_not_keys_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    assert "cannot be read as keys" in problems(GATEHOUSE_PRIVATE_KEYS_FILE=str(path))


def test_key_files_are_read_by_purpose(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"git": {"2026-01": "AAAA"}}))
    env = Env.read({**COMPLETE, "GATEHOUSE_PRIVATE_KEYS_FILE": str(path)})
    assert env.private_keys == {"git": {"2026-01": "AAAA"}}


def test_secrets_do_not_show_when_the_environment_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"git": {"one": "PRIVATE"}}))
    env = Env.read(
        {**COMPLETE, "GATEHOUSE_PRIVATE_KEYS_FILE": str(path), "EMAIL_PASSWORD": "MAILPASS"}
    )
    for secret in ("s" * 50, "p%40ss", "PRIVATE", "MAILPASS"):
        assert secret not in repr(env)


def test_database_addresses_are_taken_apart() -> None:
    settings = parse(COMPLETE["DATABASE_URL"])
    named = {name: settings[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    assert named == {
        "NAME": "gatehouse",
        "USER": "web",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
    }
    assert settings["OPTIONS"]["sslmode"] == "verify-full"


@pytest.mark.parametrize(
    ("role", "pooled"), [("web", True), ("build", False), ("deploy", False), ("ticker", False)]
)
def test_only_web_pools_its_connections(role: str, pooled: bool) -> None:
    """A pool neither survives a fork nor suits the ticker's advisory lock."""
    default = databases(Env.read({**COMPLETE, "GATEHOUSE_ROLE": role}))["default"]
    assert ("pool" in default["OPTIONS"]) is pooled


def test_the_owner_alias_exists_only_where_its_address_is_given() -> None:
    assert set(databases(Env.read(COMPLETE))) == {"default"}
    told = {**COMPLETE, "GATEHOUSE_OWNER_DATABASE_URL": COMPLETE["DATABASE_URL"]}
    assert set(databases(Env.read(told))) == {"default", "owner"}
