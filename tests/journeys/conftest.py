"""Northwind founded, with the simulator playing its orgs: one process per test."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from core import keyring
from demo.content import seed
from tests.journeys import northwind
from tests.support.simulator import StartSimulator

SPEED = 400.0


@pytest.fixture
def journey(
    transactional_db: None, tmp_path: Path, settings: Any, start_simulator: StartSimulator
) -> northwind.Journey:
    """Northwind with the teams Sales and Service, their orgs connected and main built."""
    written = seed.write(tmp_path / "seed")
    simulator = start_simulator(speed=SPEED, arguments=("--seed", str(written)))
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
    return northwind.found(tmp_path, simulator, ("sales", "service"))
