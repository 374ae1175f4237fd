"""The installation below ``var/``: what was decided at its first start, and its lock.

``state.json`` holds passwords and ports; it is readable by its owner alone. Deleting ``var/`` makes
the next start a new installation (data that lies outside, see ``postgres_home``, is then no longer
used).
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from script.lib import embedded, roles
from script.lib.progress import CannotStart

ROOT = Path(__file__).resolve().parents[2]
# Where PostgreSQL's data goes when its user cannot enter the clone (root, clone with mode 0700).
OUTSIDE = Path("/var/lib")


@dataclass
class State:
    """What every later start has to know."""

    mode: str
    id: str
    secret_key: str
    superuser_password: str
    valkey_password: str
    role_passwords: dict[str, str]
    postgres_home: str
    simulator_port: int
    simulator_admin_port: int
    seeded: bool = False
    static_stamp: str = ""


class Installation:
    """The directory of one installation."""

    def __init__(self, var: Path) -> None:
        self.var = var

    @property
    def keys(self) -> Path:
        """Return the directory of the sealing keys."""
        return self.var / "keys"

    @property
    def repositories(self) -> Path:
        """Return the directory of the demo company's Git repositories."""
        return self.var / "repositories"

    @property
    def simulator(self) -> Path:
        """Return the directory of the simulator's state."""
        return self.var / "simulator"

    @property
    def environments(self) -> Path:
        """Return the file with the environment of every role, for script/manage."""
        return self.var / "environments.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the installation; raises CannotStart when another script/server does.

        A record lock and not flock: children that are forked must not inherit it.
        """
        self.var.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (self.var / "lock").open("a") as handle:
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CannotStart(
                    f"this installation ({self.var}) is already running; stop it with Ctrl-C first."
                ) from None
            yield

    def load(self, mode: str) -> State:
        """Return what the first start decided, deciding it now if this is the first.

        Raises CannotStart when the installation was founded in the other mode.
        """
        path = self.var / "state.json"
        if not path.is_file():
            return self.save(self._decide(mode))
        state = State(**json.loads(path.read_text(encoding="utf-8")))
        if state.mode != mode:
            raise CannotStart(
                f"this installation was first started as a {state.mode} one and stays that; "
                f"start it {'with' if state.mode == 'real' else 'without'} --no-demo, "
                "or set GATEHOUSE_VAR to another directory."
            )
        return state

    def save(self, state: State) -> State:
        """Write the state, whole or not at all."""
        write_private(self.var / "state.json", json.dumps(asdict(state), indent=1))
        return state

    def _decide(self, mode: str) -> State:
        identity = secrets.token_hex(4)
        return State(
            mode=mode,
            id=identity,
            secret_key=secrets.token_urlsafe(60),
            superuser_password=secrets.token_urlsafe(24),
            valkey_password=secrets.token_urlsafe(24),
            role_passwords={role: secrets.token_urlsafe(24) for role in roles.LOGINS},
            postgres_home=str(self._postgres_home(identity)),
            simulator_port=embedded.free_port(),
            simulator_admin_port=embedded.free_port(),
        )

    def _postgres_home(self, identity: str) -> Path:
        """Return ``var/postgresql``, or a place that PostgreSQL's own user can enter."""
        if embedded.account().switch and not embedded.can_enter(self.var):
            return OUTSIDE / f"gatehouse-{identity}"
        return self.var / "postgresql"


def var_directory() -> Path:
    """Return where the installation lives: GATEHOUSE_VAR, or ``var`` in the clone."""
    return Path(os.environ.get("GATEHOUSE_VAR") or ROOT / "var").resolve()


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner can read."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write(text)
    partial.replace(path)
