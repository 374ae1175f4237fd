"""Checkpoints, verification by a worker, the pages about them, and erasing details."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse

from core import signing
from governance.models import (
    AuditDetail,
    AuditEvent,
    Checkpoint,
    CheckpointCopy,
    Verification,
)
from governance.services import checkpoints, details, hashing, verifying
from jobs import runner
from jobs.models import Work
from tests.governance import history
from tests.governance.world import World
from tests.support.databases import as_owner, as_role

both = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


def attend(kind: str) -> None:
    """Do the waiting work of a kind, as the build worker."""
    with as_role("build"):
        runner.advance("build", list(Work.objects.filter(kind=kind).values_list("pk", flat=True)))


@pytest.fixture
def outside(settings: Any, tmp_path: Path) -> Path:
    history.configure(settings, tmp_path / "outside")
    return tmp_path / "outside"


def press(world: World, who: str, name: str) -> Any:
    client = Client()
    client.force_login(world.by_name[who])
    return client.post(reverse(f"governance:{name}"), follow=True)


@both
def test_a_board_member_has_a_checkpoint_taken_and_the_history_verified(
    committed_world: World, outside: Path
) -> None:
    press(committed_world, "cleo", "chain_checkpoint")
    attend(checkpoints.KIND)
    taken = Checkpoint.objects.get()
    (path,) = outside.iterdir()
    assert json.loads(path.read_text())["body"] == taken.body
    page = press(committed_world, "cleo", "chain_verify")
    attend(verifying.KIND)
    found = Verification.objects.get()
    assert (found.passed, found.checkpoints) == (True, 2), found.problem
    page = page.client.get(reverse("governance:chain")).content.decode()
    assert "Whole" in page
    assert f"directory {outside}" in page
    event = AuditEvent.objects.earliest("pk")
    shown = Client()
    shown.force_login(committed_world.otto)
    assert "Seal" in shown.get(event.get_absolute_url()).content.decode()
    assert "sealed to" in shown.get(reverse("governance:history")).content.decode()


@both
def test_a_broken_history_is_told_on_the_page_and_in_the_history(
    committed_world: World, outside: Path
) -> None:
    with history.tampering() as owner:
        owner.execute("UPDATE governance_auditevent SET body = replace(body, 'Ana', 'Eve')")
    press(committed_world, "otto", "chain_verify")
    attend(verifying.KIND)
    assert not Verification.objects.get().passed
    told = AuditEvent.objects.get(event="history.broken")
    assert "position 1: its hash is not that of its text" in str(told.sentence)
    client = Client()
    client.force_login(committed_world.otto)
    assert "broken: see why" in client.get(reverse("governance:history")).content.decode()


@both
def test_a_verification_whose_process_is_killed_is_not_finished_and_tried_again(
    committed_world: World, outside: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    reading = hashing._read

    def killed(starts: range, end: int, signed: Any) -> Any:
        yield next(reading(starts, end, signed))
        os.kill(os.getpid(), signal.SIGKILL)

    press(committed_world, "otto", "chain_verify")
    with monkeypatch.context() as patched:
        patched.setattr(hashing, "PORTION", 4)
        patched.setattr(hashing, "_read", killed)
        attend(verifying.KIND)
        with pytest.raises(CommandError, match=r"history\.verification_unfinished: .*signal 9"):
            call_command("verify_history")
    told = AuditEvent.objects.get(event="history.unfinished")
    assert "could not finish verifying" in str(told.sentence)
    assert not AuditEvent.objects.filter(event__in=["history.broken", "job.crashed"]).exists()
    page = Client()
    page.force_login(committed_world.otto)
    shown = page.get(reverse("governance:chain")).content.decode()
    assert "history.verification_unfinished" in shown
    assert "Not finished" in shown
    assert "Broken" not in shown
    assert Work.objects.get(kind=verifying.KIND).wake_at is not None
    press(committed_world, "otto", "chain_verify")
    attend(verifying.KIND)
    assert [each.passed for each in Verification.objects.all()] == [True, False]
    assert "Whole" in page.get(reverse("governance:chain")).content.decode()


@pytest.mark.django_db
def test_a_question_that_postgresql_refuses_says_nothing_about_the_rows() -> None:
    with as_role("build"):
        connection.ensure_connection()
        with pytest.raises(psycopg.errors.InvalidSqlStatementName):
            hashing._hashed(connection.connection, 0, 1)


@both
def test_nothing_new_needs_no_checkpoint_and_a_missed_place_is_made_up_for(
    outside: Path, tmp_path: Path
) -> None:
    history.record(1)
    outside.write_text("a file where the directory should be")
    history.take()
    history.record(2)
    history.take()
    assert AuditEvent.objects.filter(event="history.checkpoint_failed").count() == 1
    outside.unlink()
    history.take()
    history.take()
    assert sorted(path.name for path in outside.iterdir()) == [
        f"checkpoint-{number:08d}.json" for number in range(1, Checkpoint.objects.count() + 1)
    ]
    assert [each.problem for each in CheckpointCopy.objects.all()[:2]] == ["", ""]


@both
def test_another_checkpoint_of_the_same_number_is_never_written_over(outside: Path) -> None:
    outside.mkdir()
    (outside / "checkpoint-00000001.json").write_text("{}")
    history.record(1)
    history.take()
    assert "already holds another checkpoint" in CheckpointCopy.objects.get().problem
    assert (outside / "checkpoint-00000001.json").read_text() == "{}"


@both
def test_checkpoints_arrive_by_mail_and_in_a_branch_that_only_grows(
    settings: Any, tmp_path: Path
) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--bare", "--quiet", str(remote)], check=True)
    places = {"email": ("keeper@example.com",), "git_url": str(remote)}
    history.configure(settings, tmp_path / "outside", **places)
    for number in (1, 2):
        history.record(number)
        history.take()
    assert [each.problem for each in CheckpointCopy.objects.all()] == [""] * 6
    assert [message.to for message in mail.outbox] == [["keeper@example.com"]] * 2
    assert Checkpoint.objects.get(number=2).body in str(mail.outbox[1].body).replace('\\"', '"')
    log = ["git", f"--git-dir={remote}", "log", "--format=%s", "checkpoints"]
    written = subprocess.run(log, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split(",")[0] for line in written] == ["Checkpoint 2", "Checkpoint 1"]


@both
def test_a_worker_without_the_key_says_so_and_takes_none(settings: Any, outside: Path) -> None:
    settings.SEALING_PRIVATE_KEYS = {}
    history.record(1)
    with pytest.raises(CommandError, match="This process cannot sign"):
        call_command("checkpoint")
    assert not Checkpoint.objects.exists()
    assert signing.can_sign() is False


@both
def test_details_of_a_person_are_erased_and_the_chain_stays_whole(
    committed_world: World, outside: Path, settings: Any, capsys: Any
) -> None:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.force_login(committed_world.ana)
    client.post("/teams/new/", {"name": "Service"})
    event = AuditEvent.objects.get(event="team.created", subject_ref="team:service")
    assert AuditDetail.objects.filter(event=event).exists()
    with pytest.raises(DatabaseError, match="permission denied"):
        details.erase(email="ana@example.com", reason="she asked")
    with as_owner():
        call_command("erase_details", person="ana@example.com", reason="she asked")
    assert "Erased the details of 1 events" in capsys.readouterr().out
    assert not AuditDetail.objects.filter(event=event).exists()
    assert "she asked" in str(AuditEvent.objects.get(event="person.details_erased").sentence)
    changed = AuditEvent.objects.filter(event="database.changed")
    assert not changed.filter(subject_kind="governance_auditdetail").exists()
    assert verifying.verify(outside=None).passed


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["dev", "lena", "rita"])
def test_others_may_look_and_not_press(world: World, who: str) -> None:
    client = Client()
    client.force_login(world.by_name[who])
    assert client.get(reverse("governance:chain")).status_code == 200
    assert client.post(reverse("governance:chain_verify")).status_code == 403
    assert client.post(reverse("governance:chain_checkpoint")).status_code == 403


@both
def test_the_file_in_json_lines_holds_bodies_as_they_are_stored(committed_world: World) -> None:
    client = Client()
    client.force_login(committed_world.otto)
    answer = client.get(reverse("governance:history_jsonl"), {"area": "team"})
    rows = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]  # type: ignore[attr-defined]
    assert [row["body"] for row in rows] == list(
        AuditEvent.objects.filter(event="team.created").values_list("body", flat=True)
    )
    assert all(len(row["hash"]) == 64 and row["position"] > 0 for row in rows)
