"""Northwind founded, with the simulator playing its orgs: one process per test."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import keyring
from demo.content import seed
from releases.engine import context
from tests.journeys import northwind
from tests.support.processes import Farm, farm
from tests.support.simulator import StartSimulator

SPEED = 400.0


@pytest.fixture
def journey(
    request: pytest.FixtureRequest,
    transactional_db: None,
    tmp_path: Path,
    settings: Any,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> northwind.Journey:
    """Northwind with Sales and Service (or teams by parameter), orgs connected and main built."""
    written = seed.write(tmp_path / "seed")
    simulator = start_simulator(speed=SPEED, arguments=("--seed", str(written)))
    # The simulator's time runs 400 times faster, so the engine looks that much more often.
    monkeypatch.setattr(context, "FIRST_POLL", 0.05)
    public, private = keyring.generate()
    settings.SEALING_PUBLIC_KEYS = public
    settings.SEALING_PRIVATE_KEYS = private["deploy"] | private["build"]
    settings.GATEHOUSE = dataclasses.replace(
        settings.GATEHOUSE,
        org_hosts=(f"*.localhost:{simulator.port}",),
        org_ca_file=simulator.ca_file,
        repository_roots=(tmp_path,),
        mirrors_dir=tmp_path / "mirrors",
    )
    return northwind.found(tmp_path, simulator, getattr(request, "param", ("sales", "service")))


@pytest.fixture
def processes(
    journey: northwind.Journey, valkey: str, tmp_path: Path, settings: Any
) -> Iterator[Farm]:
    """A farm whose processes know the journey's orgs and keys; nothing runs in it yet."""
    files: dict[str, str] = {}
    for name, keys in (
        ("PUBLIC", settings.SEALING_PUBLIC_KEYS),
        ("PRIVATE", settings.SEALING_PRIVATE_KEYS),
    ):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(keys))
        files[f"GATEHOUSE_{name}_KEYS_FILE"] = str(path)
    extra = {
        **files,
        "ORG_HOSTS": f"*.localhost:{journey.simulator.port}",
        "ORG_CA_FILE": str(journey.simulator.ca_file),
    }
    with farm(valkey, extra=extra) as started:
        yield started
