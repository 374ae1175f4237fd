"""I-35 Tampering is detected: by the product's verifier and by the export's script of its own.

Flip one byte, drop the tail, insert, swap two rows, rebuild the whole chain: each verifier names
the first bad row. A dropped tail and a full rebuild are caught only through the checkpoint outside.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql

from core.context import Origin, coming_from
from governance.models import AuditEvent
from governance.services import export, hashing, verifying
from governance.verification import verify as script
from tests.governance import history
from tests.governance.history import Kept, tampering
from tests.support.databases import as_role, role_connection

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
Owner = psycopg.Connection[Any]


@pytest.fixture
def kept(settings: Any, tmp_path: Path) -> Kept:
    return history.make(settings, tmp_path / "outside")


def problems(outside: Path | None) -> list[str]:
    return verifying.verify(outside=outside).problems


def script_says(tmp_path: Path, outside: Path | None) -> str:
    target = tmp_path / "export"
    shutil.rmtree(target, ignore_errors=True)
    export.directory(target)
    try:
        script.verify(target, outside=outside)
    except script.Broken as broken:
        return str(broken)
    return "PASS"


def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read these few rows as a long history is read: in portions, by several processes."""
    monkeypatch.setattr(hashing, "PORTION", 4)
    monkeypatch.setattr(hashing, "READ", 3)


def flip(owner: Owner, kept: Kept) -> None:
    owner.execute(
        "UPDATE governance_auditevent SET body = replace(body, 'Team 3', 'Team 8'),"
        " sentence = replace(sentence, 'Team 3', 'Team 8') WHERE id = %s",
        [kept.events[3]],
    )


def flip_link(owner: Owner, kept: Kept) -> None:
    owner.execute(
        "UPDATE governance_auditlink SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1)"
        " WHERE position = 4"
    )


def remove(owner: Owner, kept: Kept) -> None:
    owner.execute("DELETE FROM governance_auditevent WHERE id = %s", [kept.events[3]])


def remove_with_link(owner: Owner, kept: Kept) -> None:
    remove(owner, kept)
    owner.execute("DELETE FROM governance_auditlink WHERE position = 4")


def swap(owner: Owner, kept: Kept) -> None:
    """The two rows change places; every hash stays where it was."""
    owner.execute("UPDATE governance_auditlink SET event_id = -event_id WHERE position IN (4, 5)")
    owner.execute(
        "UPDATE governance_auditlink SET event_id = CASE position WHEN 4 THEN %s ELSE %s END"
        " WHERE position IN (4, 5)",
        [kept.events[4], kept.events[3]],
    )


def insert(owner: Owner, kept: Kept) -> None:
    """A false event is put into the middle; what follows moves up."""
    owner.execute("UPDATE governance_auditlink SET position = -position WHERE position >= 4")
    owner.execute("UPDATE governance_auditlink SET position = 1 - position WHERE position < 0")
    (number,) = owner.execute(
        "INSERT INTO governance_auditevent (body)"
        " SELECT body FROM governance_auditevent WHERE id = %s RETURNING id",
        [kept.events[0]],
    ).fetchone() or (0,)
    owner.execute(
        "INSERT INTO governance_auditlink (position, event_id, previous, hash)"
        " VALUES (4, %s, sha256('no fork'), sha256('false'))",
        [number],
    )


def shift(owner: Owner, kept: Kept) -> None:
    """One text takes the next one in behind a control character; the next is long and false."""
    owner.execute(
        "UPDATE governance_auditevent e SET body = e.body || chr(1) || n.body"
        " FROM governance_auditevent n WHERE e.id = %s AND n.id = %s",
        [kept.events[3], kept.events[4]],
    )
    owner.execute(
        "UPDATE governance_auditevent SET body = body || repeat(' ', 70000) WHERE id = %s",
        [kept.events[4]],
    )


def spoil(owner: Owner, kept: Kept) -> None:
    """A text that cannot be read does not stop the verifier, which reads its details too."""
    (number,) = owner.execute(
        "UPDATE governance_auditevent SET body = 'nothing' WHERE id = %s RETURNING id",
        [kept.events[3]],
    ).fetchone() or (0,)
    owner.execute(
        "INSERT INTO governance_auditdetail (event_id, key, body) VALUES (%s, sha256('key'), '{}')",
        [number],
    )


TAMPERED: dict[str, tuple[Callable[[Owner, Kept], None], str]] = {
    "flipped byte": (flip, "position 4"),
    "flipped byte of a link": (flip_link, "position 4"),
    "event removed": (remove, "position 4"),
    "event and link removed": (remove_with_link, "position 4|position 3"),
    "two rows swapped": (swap, "position 4"),
    "row inserted": (insert, "position 4"),
    "text spoilt": (spoil, "position 4"),
    "texts shifted": (shift, "position 4"),
}


@pytest.mark.parametrize("case", TAMPERED, ids=list(TAMPERED))
def test_i35_each_verifier_names_the_first_bad_row(
    kept: Kept, tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    act, place = TAMPERED[case]
    assert problems(kept.directory) == []
    with monkeypatch.context() as several:
        in_processes(several)
        assert problems(kept.directory) == []
    assert script_says(tmp_path, kept.directory) == "PASS"
    with tampering() as owner:
        act(owner, kept)
    found = problems(None)
    assert found
    assert any(words in found[0] for words in place.split("|")), found
    in_processes(monkeypatch)
    assert problems(None) == found
    said = script_says(tmp_path, None)
    assert any(words in said for words in place.split("|")), said


def drop_tail(owner: Owner, kept: Kept, first: int = 10) -> None:
    owner.execute(
        "DELETE FROM governance_auditevent WHERE id IN"
        " (SELECT event_id FROM governance_auditlink WHERE position >= %s)",
        [first],
    )
    owner.execute("DELETE FROM governance_auditlink WHERE position >= %s", [first])
    owner.execute("DELETE FROM governance_checkpointcopy")
    owner.execute("DELETE FROM governance_checkpoint WHERE position >= %s", [first])


def rebuild(owner: Owner, kept: Kept) -> None:
    flip(owner, kept)
    history.rebuild(owner)


@pytest.mark.parametrize("act", [drop_tail, rebuild])
def test_i35_a_dropped_tail_and_a_full_rebuild_are_caught_through_the_checkpoint_outside(
    kept: Kept, tmp_path: Path, act: Callable[[Owner, Kept], None]
) -> None:
    with tampering() as owner:
        owner.execute("ALTER TABLE governance_checkpointcopy DISABLE TRIGGER USER")
        act(owner, kept)
        owner.execute("DELETE FROM governance_checkpointcopy")
        owner.execute("DELETE FROM governance_checkpoint")
    inside_only = [
        text for text in problems(None) if "trigger governance_checkpointcopy" not in text
    ]
    assert inside_only == []
    assert script_says(tmp_path, None) == "PASS"
    end = "position 10: the end of the history is missing"
    wanted = {"drop_tail": end, "rebuild": "position 6: the checkpoint outside"}[act.__name__]
    assert any(wanted in text for text in problems(kept.directory))
    said = script_says(tmp_path, kept.directory)
    assert {"drop_tail": "ends at position 9", "rebuild": "position 6"}[act.__name__] in said


def test_i35_an_event_that_was_slipped_in_without_a_link_is_found(kept: Kept) -> None:
    with tampering() as owner:
        owner.execute(
            "INSERT INTO governance_auditevent (body)"
            " SELECT body FROM governance_auditevent WHERE id = %s",
            [kept.events[0]],
        )
    assert problems(kept.directory) == [
        f"H-{kept.events[-1] + 1}, position 0: 1 events are not in the chain"
    ]


def test_i35_columns_that_no_longer_say_what_the_text_says_are_found(kept: Kept) -> None:
    with tampering() as owner:
        owner.execute(
            "UPDATE governance_auditevent SET sentence = 'Ben did it' WHERE id = %s",
            [kept.events[5]],
        )
    found = problems(kept.directory)
    assert found == [f"H-{kept.events[5]}, position 0: its columns do not say what its text says"]


def test_i35_what_an_insert_says_about_the_columns_counts_for_nothing(kept: Kept) -> None:
    with role_connection("owner") as owner:
        (number,) = owner.execute(
            "INSERT INTO governance_auditevent (body, sentence, actor_id, related, team)"
            " SELECT body, 'Ben did it', 99, '{R-1}', 'wind'"
            " FROM governance_auditevent WHERE id = %s RETURNING id",
            [kept.events[5]],
        ).fetchone() or (0,)
        owner.commit()
    forged, true = (AuditEvent.objects.get(pk=pk) for pk in (number, kept.events[5]))
    for column in ("sentence", "actor_id", "related", "team"):
        assert getattr(forged, column) == getattr(true, column)


LIFTED = {
    "a guard left open": (
        "ALTER TABLE governance_decision DISABLE TRIGGER guard_decision",
        "trigger governance_decision.guard_decision was changed",
    ),
    "a guard that yields to replica sessions": (
        "ALTER TABLE governance_auditevent ENABLE TRIGGER append_only_row",
        "trigger governance_auditevent.append_only_row was changed",
    ),
    "a guard made toothless": (
        """CREATE OR REPLACE FUNCTION gatehouse_refuse_change() RETURNS trigger LANGUAGE plpgsql
        AS 'begin return coalesce(new, old); end'""",
        "function gatehouse_refuse_change() was changed",
    ),
    "a right given": (
        "GRANT DELETE ON governance_auditevent TO gatehouse_web",
        "rights on governance_auditevent was changed",
    ),
    "a seat for everybody": (
        "ALTER TABLE governance_decision DROP CONSTRAINT decision_one_per_person",
        "constraint governance_decision.decision_one_per_person is gone",
    ),
    "two live deployments": (
        "DROP INDEX deployment_one_live_per_environment",
        "index deployment_one_live_per_environment is gone",
    ),
    "a guard dropped": (
        "DROP TRIGGER chain_hop1 ON governance_auditevent",
        "trigger governance_auditevent.chain_hop1 is gone",
    ),
}


@pytest.mark.parametrize("case", LIFTED, ids=list(LIFTED))
def test_i35_a_guard_that_does_not_stand_as_migrated_is_named(kept: Kept, case: str) -> None:
    statement, words = LIFTED[case]
    with role_connection("owner") as owner:
        owner.execute(statement)
    assert any(text.startswith(words) for text in problems(kept.directory))


def test_i35_a_setting_that_a_login_left_behind_is_named(kept: Kept) -> None:
    """Every login may give itself settings that outlive it: all later sessions begin with them."""
    with role_connection("web") as web:
        here = sql.Identifier(web.info.dbname)
        form = sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET lock_timeout = '1h'")
        web.execute(form.format(here))
    with role_connection("build", autocommit=True) as build:
        # Harmless: sessions of other databases that begin just now have it too.
        build.execute("ALTER ROLE CURRENT_USER SET lock_timeout = '1h'")
        try:
            found = problems(kept.directory)
        finally:
            build.execute("ALTER ROLE CURRENT_USER RESET lock_timeout")
    assert any("setting of gatehouse_web was added" in text for text in found)
    assert any("setting in every database of gatehouse_build was added" in text for text in found)


def test_i35_a_forged_or_foreign_checkpoint_is_named(kept: Kept) -> None:
    path = sorted(kept.directory.glob("*.json"))[0]
    line = json.loads(path.read_text())
    path.unlink()
    path.write_text(json.dumps(line | {"body": line["body"].replace('"count":6', '"count":5')}))
    found = problems(kept.directory)
    assert found == [f"the checkpoint outside in {path.name} has a signature that does not fit"]


def test_i35_the_command_names_the_row_and_fails(kept: Kept, capsys: Any) -> None:
    call_command("verify_history", checkpoints=kept.directory)
    assert "PASS: 12 events, 4 checkpoints" in capsys.readouterr().out
    with tampering() as owner:
        flip(owner, kept)
    with pytest.raises(CommandError) as failed:
        call_command("verify_history", checkpoints=kept.directory)
    assert failed.value.returncode == 1
    assert f"FAIL: H-{kept.events[3]}, position 4" in capsys.readouterr().out


def test_i35_the_script_runs_with_nothing_but_python(kept: Kept, tmp_path: Path) -> None:
    target = tmp_path / "export"
    call_command("export_history", to=target)
    command = [sys.executable, "-I", "-S", str(target / "verify.py"), str(target)]
    command += ["--checkpoints", str(kept.directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(
        "PASS\n12 events, positions 1 to 12\n2 checkpoints inside, 2 given"
    )
    (target / "verify.py").write_text("print('PASS')")
    again = [*command[:3], str(Path(script.__file__)), *command[4:]]
    done = subprocess.run(again, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:24]) == (1, "FAIL: verify.py was alte")


SEEN_AT = Origin(via="web", auth="password", ip="192.0.2.7", user_agent="Browser")


@pytest.mark.parametrize("role", ["web", "build", "owner"])
def test_i35_personal_details_that_are_not_the_events_own_are_found(kept: Kept, role: str) -> None:
    """Their HMAC is computed again, by whoever verifies and without reading them."""
    with coming_from(lambda: SEEN_AT):
        number = history.record(77)
    assert problems(kept.directory) == []
    with role_connection("owner") as owner:
        owner.execute("ALTER TABLE governance_auditdetail DISABLE TRIGGER only_erase")
        owner.execute(
            "UPDATE governance_auditdetail SET body = replace(body, '192.0.2.7', '192.0.2.8')"
        )
        owner.execute("ALTER TABLE governance_auditdetail ENABLE ALWAYS TRIGGER only_erase")
    with as_role(role), connection.cursor() as cursor:
        cursor.execute("SELECT governance_wrong_details()")
        assert cursor.fetchone() == (number,)
    assert any(f"H-{number}" in text and "personal" in text for text in problems(kept.directory))
