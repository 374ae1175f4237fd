"""Packs made by the worker's own code from a company at work, and unpacked as an auditor would."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from core import blobs, keyring
from jobs import runner
from releases.models import EvidencePack
from releases.services import evidence
from releases.workers import evidence as worker
from tests.releases.pages.conftest import as_person, company, founded
from tests.support.company import Company, acting
from tests.support.databases import as_role

__all__ = ["as_person", "company", "founded"]

Unpack = Callable[[EvidencePack], Path]


@pytest.fixture(autouse=True)
def keys(settings: Any) -> dict[str, Any]:
    """Give this process the keys of the history, as a build worker has them."""
    public, private = keyring.generate()
    settings.SEALING_PUBLIC_KEYS = public
    settings.SEALING_PRIVATE_KEYS = private["build"]
    return public


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at this company's orgs: packs do not wait for it."""
    monkeypatch.setattr(worker, "PATIENCE", timedelta(0))


def made(pack: EvidencePack) -> EvidencePack:
    """Let the build worker make a pack, in its own role."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(
            "SELECT id FROM jobs_work WHERE kind = %s AND subject_id = %s", [evidence.KIND, pack.pk]
        )
        number = cursor.fetchone()[0]
    with as_role("build"):
        runner.advance("build", [number])
    pack.refresh_from_db()
    return pack


@pytest.fixture
def period_pack(company: Company) -> EvidencePack:
    """Everything that ever ran on protected environments of the company."""
    with acting(company.people["paul"]):
        until = company.now + timedelta(days=1)
        pack = evidence.request_for_period(since=company.ago(days=400), until=until)
    return made(pack)


@pytest.fixture
def unpack(tmp_path: Path) -> Unpack:
    """Unpack a pack's file into a directory of its own; returns the folder inside."""

    def open_up(pack: EvidencePack) -> Path:
        place = tmp_path / pack.public_id
        with zipfile.ZipFile(io.BytesIO(blobs.get(pack.blob))) as packed:
            packed.extractall(place)
        return next(place.iterdir())

    return open_up


def verify(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the pack's own program, cut off from everything that is installed here."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    return done.returncode, done.stdout + done.stderr
