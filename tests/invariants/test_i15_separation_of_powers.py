"""I-15: web has no deploy credentials; no worker may write approvals, policies or history.

Every statement is tried on the role's own login.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core import keyring
from script.lib import environment
from script.lib.environment import Addresses
from script.lib.installation import Installation
from tests.support.databases import role_connection

NO_RIGHT = "42501"
WORKERS = ("build", "deploy")
EVERYBODY = ("web", "build", "deploy", "ticker")

DECIDING = {
    "decide": "INSERT INTO governance_decision DEFAULT VALUES",
    "take a decision back": "INSERT INTO governance_withdrawal DEFAULT VALUES",
    "exclude somebody": "INSERT INTO governance_exclusion DEFAULT VALUES",
    "ask": "INSERT INTO governance_approvalrequest DEFAULT VALUES",
    "rewrite a question": "UPDATE governance_approvalrequest SET digest = digest",
    "give it more time": "UPDATE governance_approvalrequest SET expires_at = now()",
    "publish a policy": "INSERT INTO governance_policyversion DEFAULT VALUES",
    "make a policy": "INSERT INTO governance_policy DEFAULT VALUES",
    "choose a policy": "UPDATE environments_environment SET policy_id = NULL",
    "give a role": "INSERT INTO governance_membership DEFAULT VALUES",
    "revoke a role": "UPDATE governance_membership SET revoked_at = now()",
    "make a person": "INSERT INTO governance_user DEFAULT VALUES",
    "open an account": "UPDATE governance_user SET is_active = true",
    "match an author": "INSERT INTO governance_gitidentity DEFAULT VALUES",
    "offer to a release": "INSERT INTO releases_releaseitem DEFAULT VALUES",
    "unsign a test": "UPDATE releases_candidate SET tested_by_id = NULL",
    "offer for somebody": "UPDATE releases_candidate SET offered_by_id = NULL",
    "give work to another team": "UPDATE releases_repository SET team_id = team_id",
    "fetch from elsewhere": "UPDATE releases_repository SET url = url",
    "become the composer": "UPDATE releases_release SET composed_by_id = composed_by_id",
    "open a window": "UPDATE releases_release SET not_before = NULL",
    "review an emergency": "UPDATE releases_breakglass SET review = 'Fine.'",
    "bind a request": "UPDATE releases_deployment SET approval_id = NULL",
    "mark as approved": "UPDATE releases_deployment SET approved_at = now()",
    "set an event's number": "INSERT INTO governance_auditevent (id, body) VALUES (1, '{}')",
    "set an event's time": (
        "INSERT INTO governance_auditevent (body, recorded_at) VALUES ('{}', now())"
    ),
    "read sessions": "SELECT * FROM django_session",
    "read passwords": "SELECT * FROM governance_password",
}
DEPLOYING = {
    "intend a step": "UPDATE releases_step SET state = 'intended'",
    "settle a step": "UPDATE releases_step SET state = 'succeeded'",
    "say what an org is": "UPDATE environments_environment SET is_sandbox = true",
    "say what an org holds": "UPDATE environments_environment SET holds_digest = ''",
    "take a lease": "INSERT INTO environments_lease DEFAULT VALUES",
    "free a lease": "DELETE FROM environments_lease",
    "claim work": "UPDATE jobs_work SET fence = fence + 1",
    "write what an org said": "INSERT INTO releases_stepmessage DEFAULT VALUES",
    "write a baseline": "UPDATE releases_deployment SET baseline_digest = 'x'",
    "start a deployment": "UPDATE releases_deployment SET started_at = now()",
    "make an artefact": "INSERT INTO releases_artefact DEFAULT VALUES",
}
BENDING = {
    "remove a decision": "DELETE FROM governance_decision",
    "change a decision": "UPDATE governance_decision SET verdict = 'approve'",
    "empty the decisions": "TRUNCATE governance_decision CASCADE",
    "change an event": "UPDATE governance_auditevent SET body = body",
    "remove an event": "DELETE FROM governance_auditevent",
    "empty the history": "TRUNCATE governance_auditevent CASCADE",
    "change a policy version": "UPDATE governance_policyversion SET body = '{}'",
    "remove a policy version": "DELETE FROM governance_policyversion",
    "change an artefact": "UPDATE releases_artefact SET digest = digest",
    "remove an artefact": "DELETE FROM releases_artefact",
    "change an artefact's component": "UPDATE releases_artefactcomponent SET digest = digest",
    "remove a validation": "DELETE FROM releases_step",
    "empty the steps": "TRUNCATE releases_step CASCADE",
    "remove a deployment": "DELETE FROM releases_deployment",
    "readdress a deployment": "UPDATE releases_deployment SET environment_id = 1",
    "change what was approved": "UPDATE releases_deployment SET subject_digest = 'x'",
    "change the plan": "UPDATE releases_deployment SET plan = '{}'",
    "switch the floor off": "ALTER TABLE releases_step DISABLE TRIGGER guard_step",
    "drop the floor": "DROP TRIGGER guard_step ON releases_step",
    "replace the floor": (
        "CREATE OR REPLACE FUNCTION releases_floor(bigint) RETURNS text "
        "LANGUAGE sql AS 'SELECT null::text'"
    ),
    "ask the floor": "SELECT releases_floor(1)",
    "void by the trigger's hand": "SELECT releases_void(array[1::bigint], 'x')",
    "make a machine of its own": (
        "SELECT gatehouse_make_machine('releases_step', 'pending', '{}'::jsonb)"
    ),
    "act as a replica": "SET session_replication_role = replica",
    "become the owner": "SET ROLE gatehouse_owner",
    "sign in as the owner": "SET SESSION AUTHORIZATION gatehouse_owner",
    "shadow a table": "CREATE TEMP TABLE governance_decision (id bigint)",
    "shadow a table in the schema": "CREATE TABLE public.shadow (id bigint)",
    "make a schema": "CREATE SCHEMA shadow",
    "move the clock": (
        "CREATE OR REPLACE FUNCTION gatehouse_now() RETURNS timestamptz "
        "LANGUAGE sql AS 'SELECT now()'"
    ),
    "take a table": "ALTER TABLE governance_decision OWNER TO CURRENT_USER",
    "shadow a type": "CREATE TYPE public.jsonb AS (x text)",
    "shadow an operator": (
        "CREATE OPERATOR public.= (leftarg = text, rightarg = text, function = textne)"
    ),
    "bend a comparison": "CREATE CAST (text AS bigint) WITH INOUT AS IMPLICIT",
    "shadow a function": (
        "CREATE FUNCTION public.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 9::bigint'"
    ),
    "shadow in its own schema": (
        "CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT null'"
    ),
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "read a file": "COPY governance_policy (name) FROM '/etc/passwd'",
    "write a file": "COPY (SELECT 1) TO '/tmp/x'",
    "read a file by function": "SELECT pg_read_file('/etc/passwd')",
    "import a file": "SELECT lo_import('/etc/passwd')",
    "bring an extension": "CREATE EXTENSION IF NOT EXISTS dblink",
    "trigger on commands": (
        "CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION gatehouse_refuse_change()"
    ),
    "a trigger of its own": (
        "CREATE TRIGGER x BEFORE INSERT ON governance_decision FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "a rule of its own": "CREATE RULE x AS ON INSERT TO governance_decision DO INSTEAD NOTHING",
    "a policy of its own": "CREATE POLICY x ON governance_decision USING (true)",
    "hand rights on": "SET SESSION ROLE postgres",
    "give another role a setting": "ALTER ROLE gatehouse_owner SET lock_timeout = 1",
    "stop the guards on commands": "SET event_triggers = off",
    "lock everybody out": "LOCK TABLE governance_decision IN ACCESS EXCLUSIVE MODE",
    "empty the large objects' guard": "ALTER DATABASE postgres SET lo_compat_privileges = on",
    "read who holds which password": "SELECT * FROM pg_authid",
    "replicate": "SELECT pg_create_physical_replication_slot('x')",
}
TRIED = [
    *((role, name, DECIDING[name]) for name in DECIDING for role in (*WORKERS, "ticker")),
    *(("web", name, statement) for name, statement in DEPLOYING.items()),
    *((role, name, BENDING[name]) for name in BENDING for role in EVERYBODY),
]


@pytest.fixture(scope="module")
def logins(django_db_setup: None) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    """Real logins of every role; nothing they try is ever committed."""
    opened = {role: role_connection(role) for role in EVERYBODY}
    yield {role: each.__enter__() for role, each in opened.items()}
    for each in opened.values():
        each.__exit__(None, None, None)


def test_i15_every_forbidden_statement_is_refused_for_want_of_the_right(
    logins: dict[str, psycopg.Connection[Any]],
) -> None:
    """Connect as each role, try every forbidden statement."""
    answers = {}
    for role, name, statement in TRIED:
        try:
            logins[role].execute(statement)
            answers[role, name] = "done"
        except psycopg.Error as error:
            answers[role, name] = str(error.sqlstate)
        logins[role].rollback()
    assert {case: code for case, code in answers.items() if code != NO_RIGHT} == {}


def test_i15_nobody_but_the_owner_owns_or_may_grant_anything(
    logins: dict[str, psycopg.Connection[Any]],
) -> None:
    """No role is a member of another, owns a table or a function, or may make roles."""
    deploy = logins["deploy"]
    memberships = deploy.execute(
        "SELECT member::regrole::text FROM pg_auth_members WHERE member::regrole::text = ANY(%s)",
        [[f"gatehouse_{role}" for role in EVERYBODY]],
    ).fetchall()
    owners = deploy.execute(
        "SELECT DISTINCT relowner::regrole::text FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace "
        "UNION SELECT DISTINCT proowner::regrole::text FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace AND proname ~ '^(gatehouse|governance|releases"
        "|environments|jobs)_'"
    ).fetchall()
    powerful = deploy.execute(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'gatehouse\\_%%' "
        "AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)"
    ).fetchall()
    deploy.rollback()
    assert memberships == []
    assert owners == [("gatehouse_owner",)]
    assert powerful == []


def test_i15_every_function_that_runs_as_the_owner_fixes_its_search_path(
    logins: dict[str, psycopg.Connection[Any]],
) -> None:
    """A function with the owner's rights must not find a caller's table under a known name."""
    rows = (
        logins["web"]
        .execute(
            "SELECT proname, proconfig FROM pg_proc WHERE prosecdef "
            "AND pronamespace = 'public'::regnamespace"
        )
        .fetchall()
    )
    logins["web"].rollback()
    assert rows
    loose = [name for name, options in rows if not any("search_path" in o for o in options or ())]
    assert loose == []


def test_i15_no_function_looks_into_the_caller_s_temporary_schema_first(
    logins: dict[str, psycopg.Connection[Any]],
) -> None:
    """Unnamed, pg_temp is searched first. A body in standard SQL is bound when it is made."""
    rows = (
        logins["web"]
        .execute(
            "SELECT proname, coalesce(array_to_string(proconfig, ' '), '') FROM pg_proc "
            "WHERE pronamespace = 'public'::regnamespace AND prosqlbody IS NULL "
            "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid "
            "AND d.deptype = 'e')"
        )
        .fetchall()
    )
    logins["web"].rollback()
    assert len(rows) > 80
    assert [name for name, options in rows if ", pg_temp" not in options] == []


def test_i15_the_environment_of_web_holds_no_key_that_opens_an_org(tmp_path: Path) -> None:
    """Grep web's environment for secrets, the files that it names included."""
    made = Installation(tmp_path / "var")
    made.var.mkdir()
    keyring.write(made.keys)
    rings = [json.loads((made.keys / f"{role}.json").read_text()) for role in WORKERS]
    secrets = {key for rings_of in rings for ring in rings_of.values() for key in ring.values()}
    addresses = Addresses("127.0.0.1", 8000, "127.0.0.1:5432/gatehouse", "redis://127.0.0.1:1/0")
    told = environment.of_role("web", made, made.load("real"), addresses)
    files = [Path(value) for value in told.values() if Path(value).is_file()]
    shown = " ".join([*told.values(), *(file.read_text() for file in files)])
    assert len(secrets) >= 4
    assert files
    assert not {secret for secret in secrets if secret in shown}
