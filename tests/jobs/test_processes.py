"""Real tickers and workers, real PostgreSQL, real Valkey."""

from __future__ import annotations

import json
import pickle
import re
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import transaction
from rq import Queue

from jobs import registry
from jobs.models import Work
from jobs.rq import ADVANCE, KEPT_AS, Bell
from jobs.wake import wake
from tests.support.processes import Farm, Process, farm, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process wake the sample's kinds; their handlers run elsewhere."""
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    for name, queue in (("quick", "deploy"), ("slow", "deploy"), ("unhurried", "deploy")):
        registry.register(f"sample.{name}", queue, lambda claim: registry.Next.done())
    registry.register("sample.build", "build", lambda claim: registry.Next.done())


@pytest.fixture
def client(valkey: str) -> Iterator[Any]:
    """Write to Redis as an attacker would (Any: redis-py types answers as maybe awaitable)."""
    opened = redis.Redis.from_url(valkey)
    yield opened
    opened.close()


@pytest.fixture
def sample(valkey: str, tmp_path: Path) -> Iterator[Farm]:
    """Give processes that know the sample's kinds of work."""
    extra = {"SAMPLE_DIR": str(tmp_path)}
    with farm(valkey, extra=extra, module="tests.jobs.process_settings") as started:
        yield started


@pytest.fixture
def notes(tmp_path: Path) -> Callable[[str], list[str]]:
    """Read what the handlers noted: ``notes("quick")`` gives the lines that begin so."""

    def read(beginning: str = "") -> list[str]:
        path = tmp_path / "notes"
        lines = path.read_text().splitlines() if path.exists() else []
        return [
            line.split(" ", 1)[1] for line in lines if line.split(" ", 1)[1].startswith(beginning)
        ]

    return read


def woken(name: str, subject_id: int) -> Work:
    """Commit a wake and return the row."""
    with transaction.atomic():
        wake(name, subject_id)
    return Work.objects.get(kind=name, subject_id=subject_id)


def ready(sample: Farm, notes: Callable[[str], list[str]]) -> None:
    """Wait until ticker and worker answer."""
    woken("sample.quick", 0)
    wait_until(lambda: notes("quick 0 "), seconds=40, farm=sample)


def is_at_rest(row: Work) -> bool:
    """Tell whether the row is finished and wants nothing."""
    row.refresh_from_db()
    return row.finished_at is not None and row.wake_at is None and row.lease_until is None


def test_a_wake_reaches_its_handler_in_well_under_half_a_second(
    sample: Farm, notes: Callable[[str], list[str]], tmp_path: Path
) -> None:
    sample.ticker()
    sample.worker("deploy")
    ready(sample, notes)
    delays = []
    for subject_id in range(1, 6):
        before = time.time()
        woken("sample.quick", subject_id)
        mark = f"quick {subject_id} "
        wait_until(partial(notes, mark), farm=sample)
        line = (tmp_path / "notes").read_text().splitlines()[-1]
        delays.append(float(line.split()[0]) - before)
    assert sorted(delays)[2] < 0.5, delays


def test_each_queue_is_served_by_its_own_workers(
    sample: Farm, notes: Callable[[str], list[str]]
) -> None:
    sample.ticker()
    sample.worker("deploy")
    ready(sample, notes)
    row = woken("sample.build", 1)
    time.sleep(1)
    row.refresh_from_db()
    assert row.fence == 0, "a deploy worker must not do the work of build"
    sample.worker("build")
    wait_until(lambda: is_at_rest(row), farm=sample)


def test_a_worker_refuses_a_queue_that_is_not_its_role(sample: Farm) -> None:
    process = sample.start("build", "work", "--queue", "deploy")
    wait_until(lambda: not process.alive, farm=sample)
    assert process.stop() != 0
    assert "GATEHOUSE_ROLE=build" in process.output()


def test_two_tickers_have_one_leader_and_the_other_takes_over(
    sample: Farm, notes: Callable[[str], list[str]]
) -> None:
    tickers = [sample.ticker(), sample.ticker()]
    sample.worker("deploy")
    ready(sample, notes)

    def leaders() -> list[Process]:
        return [one for one in tickers if "ticker: leading" in one.output()]

    (leader,) = leaders()
    leader.kill()
    wait_until(lambda: len(leaders()) == 2, farm=sample)
    woken("sample.quick", 1)
    wait_until(lambda: notes("quick 1 "), farm=sample)
    assert len(notes("quick 1 ")) == 1, "done once, by whichever leads"
    assert not leader.alive


def test_nothing_is_lost_when_redis_is_emptied(
    sample: Farm, notes: Callable[[str], list[str]], client: Any
) -> None:
    sample.ticker()
    rows = [woken("sample.quick", number) for number in range(1, 31)]
    wait_until(lambda: client.llen("rq:queue:deploy") > 0, farm=sample)
    client.flushdb()
    sample.worker("deploy")
    wait_until(lambda: all(is_at_rest(row) for row in rows), farm=sample)
    assert len(notes("quick")) == 30, "each exactly once"


def test_rows_wait_for_a_redis_that_is_away_when_they_wake(
    sample: Farm, notes: Callable[[str], list[str]], client: Any
) -> None:
    sample.ticker()
    sample.worker("deploy")
    ready(sample, notes)
    assert client.client_kill_filter(_type="normal", skipme=True) > 0, "nobody was connected"
    row = woken("sample.quick", 1)
    wait_until(lambda: notes("quick 1 "), farm=sample)
    wait_until(lambda: is_at_rest(row), farm=sample)
    assert len(notes("quick 1 ")) == 1


@pytest.mark.parametrize("how", ["worker and job", "worker only"])
def test_after_sigkill_another_worker_goes_on_and_the_old_fence_is_dead(
    sample: Farm, notes: Callable[[str], list[str]], tmp_path: Path, how: str
) -> None:
    sample.ticker()
    victim = sample.worker("deploy")
    row = woken("sample.slow", 1)
    wait_until(lambda: notes("began 1 1"), seconds=40, farm=sample)
    (orphan,) = victim.children()
    if how == "worker and job":
        victim.kill()
    else:
        victim.kill_only_parent()
    sample.worker("deploy")
    wait_until(lambda: notes("began 1 2"), seconds=40, farm=sample)
    (tmp_path / "release-1").touch()
    wait_until(lambda: not orphan.is_running() or orphan.status() == "zombie", farm=sample)
    assert notes("wrote") == [], "the old fence wrote"
    (tmp_path / "release-2").touch()
    wait_until(lambda: notes("wrote"), farm=sample)
    wait_until(lambda: is_at_rest(row), farm=sample)
    assert notes("wrote") == ["wrote 1 2"]


def test_sigterm_finishes_the_work_at_hand(sample: Farm, notes: Callable[[str], list[str]]) -> None:
    ticker = sample.ticker()
    worker = sample.worker("deploy")
    row = woken("sample.unhurried", 1)
    wait_until(lambda: notes("began"), seconds=40, farm=sample)
    assert worker.stop() == 0
    assert notes("ended") == ["ended 1 1"]
    assert is_at_rest(row)
    assert ticker.stop() == 0


def test_ids_of_finished_work_pushed_by_hand_do_nothing(
    sample: Farm, notes: Callable[[str], list[str]], client: Any
) -> None:
    sample.ticker()
    sample.worker("deploy")
    ready(sample, notes)
    row = Work.objects.get(kind="sample.quick", subject_id=0)
    wait_until(lambda: is_at_rest(row), farm=sample)
    for _ in range(5):
        Bell(client).ring("deploy", [row.pk, 999_999])
    wait_until(lambda: client.llen("rq:queue:deploy") == 0, farm=sample)
    woken("sample.quick", 1)
    wait_until(lambda: notes("quick 1 "), farm=sample)
    assert len(notes("quick 0 ")) == 1


def push(client: Any, fields: dict[str, Any], *, key: str | None = None) -> None:
    """Put a job's hash and its id into the queue of the deploy workers, as RQ would."""
    name = key or f"evil-{uuid.uuid4().hex}"
    client.hset(f"rq:job:{name}", mapping={"status": "queued", "origin": "deploy", **fields})
    client.rpush("rq:queue:deploy", name)


def call(function: str, *args: object, **named: object) -> bytes:
    """Pack a call as RQ's JSON serializer does."""
    return zlib.compress(json.dumps([function, None, list(args), named]).encode())


class Evil:
    """Writes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (eval, (f"open({str(self.path)!r}, 'w').close()",))


def attacks(mark: Path) -> dict[str, dict[str, Any]]:
    """Return jobs of somebody who can write to Redis; each tries to make the file ``mark``."""
    command = f"touch {mark}"
    ours = call(ADVANCE, "deploy", [1])
    return {
        "a shell": {"data": call("subprocess.getoutput", command)},
        "a shell, uncompressed": {"data": json.dumps(["os.system", None, [command], {}])},
        "a pickle": {"data": zlib.compress(pickle.dumps(Evil(mark)))},
        "a pickled call": {
            "data": zlib.compress(pickle.dumps(("subprocess.getoutput", None, (command,), {})))
        },
        "a success callback": {"data": ours, "success_callback_name": "subprocess.getoutput"},
        "a failure callback": {"data": ours, "failure_callback_name": "os.system"},
        "a stopped callback": {"data": ours, "stopped_callback_name": "os.system"},
        "a webhook": {"data": ours, "webhooks": json.dumps([{"url": "http://127.0.0.1:9"}])},
        "a dependency": {"data": ours, "dependency_ids": json.dumps(["other"])},
        "a retry": {"data": ours, "retries_left": "3"},
        "a repeat": {"data": ours, "repeats_left": "3", "repeat_intervals": "[1]"},
        "a method": {
            "data": zlib.compress(json.dumps([ADVANCE, "x", ["deploy", [1]], {}]).encode())
        },
        "our private functions": {"data": call("jobs.runner._hand_back", [1])},
        "named arguments": {"data": call(ADVANCE, queue="deploy", ids=[1])},
        "another queue": {"data": call(ADVANCE, "build", [1])},
        "an unknown queue": {"data": call(ADVANCE, "x", [1])},
        "too many ids": {"data": call(ADVANCE, "deploy", list(range(1, 500)))},
        "ids that are words": {"data": call(ADVANCE, "deploy", ["1; DROP TABLE jobs_work"])},
        "ids that are truths": {"data": call(ADVANCE, "deploy", [True])},
        "a bomb": {"data": zlib.compress(b" " * 50_000_000)},
        "a deep list": {"data": zlib.compress(b"[" * 15_000)},
        "no payload": {"description": "nothing"},
        "odd fields": {"data": call("os.system", command), "timeout": "x", "created_at": b"\xff"},
    }


def test_a_worker_runs_nothing_else_than_our_own_job(
    sample: Farm, notes: Callable[[str], list[str]], client: Any, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    sample.ticker()
    worker = sample.worker("deploy")
    ready(sample, notes)
    listed = attacks(mark)
    for fields in listed.values():
        push(client, fields)
    woken("sample.quick", 1)
    wait_until(lambda: notes("quick 1 "), seconds=60, farm=sample)
    assert not mark.exists()
    assert worker.alive, "the worker must survive what it refuses"
    refused = notes("event security.job_refused")
    assert len(refused) == len(listed), refused
    assert any("subprocess.getoutput" in line for line in refused)


def test_keys_that_are_no_jobs_do_not_end_a_worker(
    sample: Farm, notes: Callable[[str], list[str]], client: Any
) -> None:
    sample.ticker()
    worker = sample.worker("deploy")
    ready(sample, notes)
    client.set("rq:job:text", "not a hash")
    client.rpush("rq:queue:deploy", "text", "missing", "odd id with blanks", b"\xff\xfe")
    woken("sample.quick", 1)
    wait_until(lambda: notes("quick 1 "), farm=sample)
    assert worker.alive


def test_values_of_another_kind_in_redis_stop_work_for_seconds_only(
    sample: Farm, notes: Callable[[str], list[str]], client: Any
) -> None:
    def is_no_text(key: str) -> bool:
        return bool(client.type(key) != b"string")

    ticker = sample.ticker()
    sample.worker("deploy")
    ready(sample, notes)
    for number, key in enumerate(KEPT_AS, start=1):
        odd = key.format(queue="deploy")
        client.delete(odd)
        client.set(odd, "x")
        wait_until(partial(is_no_text, odd), farm=sample)
        woken("sample.quick", number)
        wait_until(partial(notes, f"quick {number} "), seconds=40, farm=sample)
    assert ticker.alive
    assert "removed from Redis what RQ never wrote: rq:queues" in ticker.output()


def test_commands_over_redis_do_not_reach_a_worker(
    sample: Farm, notes: Callable[[str], list[str]], client: Any
) -> None:
    sample.ticker()
    worker = sample.worker("deploy")
    ready(sample, notes)
    client.set("rq:suspended", "1")
    for name in client.smembers("rq:workers"):
        channel = "rq:pubsub:" + re.sub(r"^rq:worker:", "", name.decode())
        assert client.publish(channel, json.dumps({"command": "shutdown"})) == 0
    woken("sample.quick", 1)
    wait_until(lambda: notes("quick 1 "), farm=sample)
    assert worker.alive


def test_no_job_is_left_in_redis_when_its_work_is_done(
    sample: Farm, notes: Callable[[str], list[str]], client: Any
) -> None:
    sample.ticker()
    sample.worker("deploy")
    ready(sample, notes)

    def left() -> list[bytes]:
        keys = client.scan_iter("rq:job:*", _type="hash")
        return [key for key in keys if client.hget(key, "origin") == b"deploy"]

    wait_until(lambda: not left(), farm=sample)
    assert client.llen(Queue("deploy", connection=client).intermediate_queue_key) == 0
