"""A stage for the whole demo: its files, the simulator, and a database with real roles."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import override_settings

from core import keyring
from demo.content import repositories, seed
from demo.scenery import Places
from demo.stagehands import QUEUES, Hand
from tests.support import servers
from tests.support.databases import worker_database
from tests.support.simulator import SimulatorProcess

FAST = 1000.0


@dataclasses.dataclass(frozen=True)
class Stage:
    """What a performance needs."""

    places: Places
    hands: dict[str, Hand]
    simulator: SimulatorProcess


@contextmanager
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Make everything below the directory and point the settings at it."""
    directory = tmp_path / "demo"
    repositories.build(directory / "repositories")
    seeded = seed.write(directory)
    state = tmp_path / "simulator"
    state.mkdir()
    simulator = SimulatorProcess(state, speed=FAST, arguments=("--seed", str(seeded))).start()
    keyring.write(tmp_path / "keys")
    public = _keys(tmp_path / "keys" / "public.json")
    env = dataclasses.replace(
        settings.GATEHOUSE,
        mode="demo",
        org_hosts=(f"*.localhost:{simulator.port}",),
        org_ca_file=simulator.ca_file,
        repository_roots=(directory / "repositories",),
        mirrors_dir=tmp_path / "mirrors",
        public_keys=public,
    )
    places = Places(directory / "repositories", directory, simulator.port)
    hands = {
        queue: Hand(
            servers.running().login(f"gatehouse_{queue}", worker_database()),
            _keys(tmp_path / "keys" / f"{queue}.json"),
        )
        for queue in QUEUES
    }
    try:
        with override_settings(GATEHOUSE=env, SEALING_PUBLIC_KEYS=public):
            yield Stage(places, hands, simulator)
    finally:
        simulator.kill()


def _keys(path: Path) -> dict[str, Any]:
    keys: dict[str, Any] = json.loads(path.read_text())
    return keys
