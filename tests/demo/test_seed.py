"""The simulator's seed: eleven orgs, two keys, written once."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from demo.content import seed
from demo.content.orgs import ORGS


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("seed")
    seed.write(directory)
    return directory


def _orgs(directory: Path) -> dict[str, dict[str, object]]:
    written = json.loads((directory / "seed.json").read_text())
    return {org["name"]: org for org in written["orgs"]}


def test_only_production_is_no_sandbox(directory: Path) -> None:
    orgs = _orgs(directory)

    assert len(orgs) == 12
    assert [name for name, org in orgs.items() if not org["is_sandbox"]] == ["northwind"]


def test_every_org_has_its_own_integration_user(directory: Path) -> None:
    usernames = [org["users"] for org in _orgs(directory).values()]

    assert usernames == [[{"username": org.username}] for org in ORGS]
    assert len({org.username for org in ORGS}) == len(ORGS)


@pytest.mark.parametrize("org", ORGS, ids=lambda org: org.name)
def test_key_of_an_org_belongs_to_its_certificate(directory: Path, org: object) -> None:
    by_name = {one.name: one for one in ORGS}
    chosen = by_name[org.name]  # type: ignore[attr-defined]
    app = _orgs(directory)[chosen.name]["apps"][0]  # type: ignore[index]
    certificate = x509.load_pem_x509_certificate(app["certificate_pem"].encode())
    key = serialization.load_pem_private_key(
        seed.private_key(directory, chosen).encode(), password=None
    )

    assert certificate.public_key() == key.public_key()


def test_production_and_sandboxes_use_different_keys(directory: Path) -> None:
    assert (directory / "production.key").read_text() != (directory / "sandbox.key").read_text()


def test_keys_are_readable_by_their_owner_only(directory: Path) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in directory.glob("*.key")}

    assert modes == {0o600}


def test_second_writing_changes_nothing(directory: Path) -> None:
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    seed.write(directory)

    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
