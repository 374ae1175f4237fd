"""The harness itself: roles as in production, clones instead of TRUNCATE, no way out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis
from django.db import DatabaseError, connection, connections, transaction

from core.db import database_now
from governance.services.guards import drift
from jobs.models import Work
from tests.support import network, servers
from tests.support.cover import later
from tests.support.databases import as_role, role_connection, worker_database
from tests.support.race import race

INSERT = "INSERT INTO jobs_work (kind, subject_id, queue) VALUES ('harness', 1, 'build')"


def current_user() -> str:
    """Ask the database who acts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_tests_act_as_web() -> None:
    assert current_user() == "gatehouse_web"


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["web", "build", "deploy", "ticker"])
def test_as_role_acts_as_the_role_and_gives_the_old_one_back(role: str) -> None:
    with as_role(role):
        assert current_user() == f"gatehouse_{role}"
    assert current_user() == "gatehouse_web"


@pytest.mark.django_db
def test_a_failed_query_as_another_role_gives_the_old_one_back() -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), as_role("ticker"):
        Work.objects.update(fence=1)
    assert current_user() == "gatehouse_web"


@pytest.mark.django_db
def test_only_the_roles_of_the_product_can_be_acted_as() -> None:
    with pytest.raises(ValueError, match="no such role"), as_role("postgres"):
        pass


@pytest.mark.parametrize("attempt", [1, 2])
def test_committed_rows_are_gone_in_the_next_test(transactional_db: None, attempt: int) -> None:
    assert not Work.objects.filter(kind="harness").exists()
    with connection.cursor() as cursor:
        cursor.execute(INSERT)
    assert Work.objects.filter(kind="harness").count() == 1


def test_a_separate_login_sees_what_is_committed(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT)
    with role_connection("deploy") as deploy:
        assert deploy.execute("SELECT session_user").fetchone() == ("gatehouse_deploy",)
        found = deploy.execute("SELECT count(*) FROM jobs_work WHERE kind = 'harness'").fetchone()
    assert found == (1,)


@pytest.mark.parametrize("role", ["web", "build", "deploy", "ticker"])
def test_a_process_cannot_become_the_owner(transactional_db: None, role: str) -> None:
    with role_connection(role) as login:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute("SET ROLE gatehouse_owner")
        login.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute("CREATE TABLE mine (id int)")
        login.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute(
                "CREATE OR REPLACE FUNCTION gatehouse_now() RETURNS timestamptz"
                " LANGUAGE sql AS $$ SELECT now() $$"
            )


@pytest.mark.django_db(databases=["default", "owner"])
def test_the_alias_owner_owns_the_schema() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'jobs_work'")
        assert cursor.fetchone() == ("gatehouse_owner",)


def test_a_clock_that_was_moved_is_to_the_letter_as_it_was(transactional_db: None) -> None:
    before = drift()
    with later(minutes=3):
        assert any("gatehouse_now() was changed" in told for told in drift())
    assert drift() == before == []


def test_a_moved_clock_is_read_within_a_transaction_that_read_the_other(db: None) -> None:
    minute, begun = timedelta(minutes=1), database_now()
    with later(minutes=60):
        assert database_now() - begun > 59 * minute
        with later(minutes=180):
            assert database_now() - begun > 179 * minute
        assert database_now() - begun < 61 * minute
    assert database_now() - begun < minute


def test_racers_have_their_own_connections(transactional_db: None) -> None:
    def backend() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    outcomes = race(backend, backend, backend)
    assert len({outcome.value for outcome in outcomes}) == 3


def test_a_racer_that_raises_is_an_outcome(transactional_db: None) -> None:
    def broken() -> None:
        raise RuntimeError("lost")

    fine, failed = race(lambda: 1, broken)
    assert fine.value == 1
    assert isinstance(failed.error, RuntimeError)


def test_the_valkey_of_a_test_begins_empty(valkey: str) -> None:
    with redis.Redis.from_url(valkey) as client:
        assert client.dbsize() == 0


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.com"])
def test_the_network_ends_at_this_machine(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as client, pytest.raises(network.NetworkRefused):
        client.connect((host, 443))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost", "org.localhost"])
def test_this_machine_may_be_reached(host: str) -> None:
    assert network.is_local(host)


@pytest.mark.processes
def test_a_killed_run_leaves_no_servers() -> None:
    """The keeper watches the run and ends with it, also when nobody tells it to."""
    # Not tmp_path: PostgreSQL's own user cannot enter what pytest makes for root alone.
    run_dir = Path(tempfile.mkdtemp(prefix="gatehouse-test-"))
    run_dir.chmod(0o755)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent:
        subprocess.run(
            [sys.executable, "-m", "tests.support.keeper", str(run_dir), str(parent.pid)],
            cwd=servers.ROOT,
            check=True,
        )
        deadline = time.monotonic() + 30
        while not (run_dir / "servers.json").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        postmaster = run_dir / "postgresql" / "data" / "postmaster.pid"
        pid = int(postmaster.read_text().split("\n")[0])
        os.kill(pid, 0)
        parent.kill()
    deadline = time.monotonic() + 30
    while run_dir.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not run_dir.exists()


@pytest.mark.django_db
def test_each_pytest_worker_has_its_own_database() -> None:
    assert connection.settings_dict["NAME"] == worker_database()
