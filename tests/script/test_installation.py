"""What script/server decides at the first start, and what each process is told."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from config.env import Env
from core import keyring
from script.lib import embedded, environment, server
from script.lib.environment import Addresses
from script.lib.installation import ROOT, Installation, State
from script.lib.progress import CannotStart

ADDRESSES = Addresses("127.0.0.1", 8000, "127.0.0.1:5432/gatehouse", "redis://127.0.0.1:1/0")
ROLES = ("owner", "web", "build", "deploy", "ticker")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Give a new installation with its keys."""
    found = Installation(tmp_path / "var")
    found.var.mkdir()
    keyring.write(found.keys)
    return found


@pytest.fixture
def state(installation: Installation) -> State:
    """Decide what the first start of a real installation decides."""
    return installation.load("real")


def test_a_later_start_finds_what_the_first_decided(
    installation: Installation, state: State
) -> None:
    assert installation.load("real") == state


@pytest.mark.parametrize(("first", "second"), [("demo", "real"), ("real", "demo")])
def test_a_demo_stays_a_demo_and_a_real_one_real(
    installation: Installation, first: str, second: str
) -> None:
    installation.load(first)
    with pytest.raises(CannotStart, match=f"first started as a {first} one"):
        installation.load(second)


def test_passwords_are_readable_by_their_owner_alone(
    installation: Installation, state: State
) -> None:
    mode = stat.S_IMODE((installation.var / "state.json").stat().st_mode)
    assert mode == 0o600


def test_every_login_has_a_password_of_its_own(state: State) -> None:
    assert len(set(state.role_passwords.values())) == len(ROLES)


def test_a_second_start_of_a_running_installation_is_refused(installation: Installation) -> None:
    """Asked from another process: a record lock does not stop the process that holds it."""
    code = (
        "import sys; from pathlib import Path; from script.lib.installation import Installation\n"
        "with Installation(Path(sys.argv[1])).locked(): pass"
    )
    command = [sys.executable, "-c", code, str(installation.var)]
    with installation.locked():
        refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "is already running" in refused.stderr
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("role", ROLES)
def test_a_process_is_told_its_own_login_and_no_other(
    installation: Installation, state: State, role: str
) -> None:
    told = environment.of_role(role, installation, state, ADDRESSES)
    env = Env.read(told)
    assert env.role == role
    others = {one for name, one in state.role_passwords.items() if name != f"gatehouse_{role}"}
    assert not {secret for secret in others if secret in str(told)}


@pytest.mark.parametrize(
    ("role", "purposes"),
    [
        ("web", set()),
        ("ticker", set()),
        ("owner", set()),
        ("build", {"git", "history"}),
        ("deploy", {"org-production", "org-sandbox"}),
    ],
)
def test_private_keys_go_to_their_worker_only(
    installation: Installation, state: State, role: str, purposes: set[str]
) -> None:
    env = Env.read(environment.of_role(role, installation, state, ADDRESSES))
    assert set(env.private_keys) == purposes
    assert set(env.public_keys) == {"git", "history", "org-production", "org-sandbox"}


def test_only_the_owner_is_told_the_owners_address(
    installation: Installation, state: State
) -> None:
    told = {
        role
        for role in ROLES
        if "GATEHOUSE_OWNER_DATABASE_URL"
        in environment.of_role(role, installation, state, ADDRESSES)
    }
    assert told == {"owner"}


def test_a_real_installation_knows_no_simulator(installation: Installation, state: State) -> None:
    assert "ORG_HOSTS" not in environment.of_role("deploy", installation, state, ADDRESSES)


def test_a_taken_port_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATEHOUSE_VAR", str(tmp_path / "var"))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert server.main(["--no-demo", "--port", str(port)]) == 1
    assert f"port {port} cannot be used" in capsys.readouterr().err
    assert not (tmp_path / "var" / "postgresql").exists()


def test_a_taken_port_of_the_simulator_is_named(state: State) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", state.simulator_port))
        taken.listen()
        with pytest.raises(CannotStart, match=f"port {state.simulator_port}, which the demo's"):
            server._demand_simulators_ports(state)


def test_a_private_directory_cannot_be_entered_by_others(tmp_path: Path) -> None:
    inside = tmp_path / "clone" / "var"
    inside.mkdir(parents=True)
    (tmp_path / "clone").chmod(0o700)
    assert not embedded.can_enter(inside)
    assert embedded.can_enter(Path("/usr"))


@pytest.mark.parametrize(
    ("memory", "said"),
    [(2**28, "128MB"), (2 * 2**30, "512MB"), (64 * 2**30, "2048MB")],
)
def test_postgresql_gets_a_quarter_of_the_memory_within_bounds(
    monkeypatch: pytest.MonkeyPatch, memory: int, said: str
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=memory))
    assert embedded.shared_buffers() == said
