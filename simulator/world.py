"""Everything that the parts share: the store, the clock, the addresses and what woke the engine."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator import ids
from simulator.clock import Clock
from simulator.store import Row, Store

NEWEST_VERSION = 67
OLDEST_VERSION = 31
SANDBOX_SEPARATOR = "--"


@dataclass(frozen=True, slots=True)
class Org:
    """One org as it is now."""

    id: str
    name: str
    organization_name: str
    is_sandbox: bool
    organization_type: str
    instance_name: str
    parent: str | None
    trial_ends_at: float | None
    active: bool
    created_at: float
    options: dict[str, Any]

    @property
    def host(self) -> str:
        """Host name without the port."""
        return f"{self.name}.localhost"


@dataclass(frozen=True, slots=True)
class Person:
    """One user of an org."""

    id: str
    org: str
    username: str
    full_name: str
    email: str
    profile: str
    active: bool
    password: str | None


class World:
    """Hold what the parts need; made once per process."""

    def __init__(self, directory: Path, *, speed: float, plain: bool) -> None:
        self.directory = directory
        self.store = Store(directory)
        self.clock = Clock(speed=speed, offset=float(self.store.setting("clock.offset", "0")))
        self.plain = plain
        self.port = 0
        self.wakeup = threading.Condition()
        self.alarm = 0

    def base_url(self, org: Org) -> str:
        """The address at which clients reach the org."""
        return f"{'http' if self.plain else 'https'}://{org.host}:{self.port}"

    def wake(self) -> None:
        """Tell the engine that something may be due."""
        with self.wakeup:
            self.alarm += 1
            self.wakeup.notify_all()

    def jump(self, seconds: float) -> None:
        """Move the clock and keep the shift for the next start."""
        self.clock.jump(seconds)
        self.store.set_setting("clock.offset", str(self.clock.offset))
        self.wake()

    def warn(self, org: str | None, message: str) -> None:
        """Note something that the simulator does not model."""
        self.store.run(
            "insert into warning (at, org, message) values (?, ?, ?)",
            self.clock.now(),
            org,
            message,
        )

    def audit(self, org: str, person: str, action: str, section: str, display: str) -> None:
        """Note a change of the org's set-up in its audit trail."""
        self.store.run(
            "insert into audit (id, org, at, person, action, section, display)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            self.store.new_id(ids.PREFIXES["SetupAuditTrail"]),
            org,
            self.clock.now(),
            person,
            action,
            section,
            display,
        )

    def orgs(self) -> list[Org]:
        """Return all orgs, inactive ones too, oldest first."""
        return [_org(row) for row in self.store.rows("select * from org order by created_at, id")]

    def org(self, identifier: str) -> Org | None:
        """Return the org of an organization id of 15 or 18 characters."""
        key = ids.with_checksum(identifier[:15]) if len(identifier) in (15, 18) else identifier
        row = self.store.row("select * from org where id = ?", key)
        return None if row is None else _org(row)

    def org_named(self, name: str) -> Org | None:
        """Return the active org of that host name label."""
        row = self.store.row("select * from org where name = ? and active = 1", name)
        return None if row is None else _org(row)

    def set_options(self, org: Org, changes: dict[str, Any]) -> dict[str, Any]:
        """Change some options of an org and return all of them."""
        merged = {**org.options, **changes}
        self.store.run("update org set options = ? where id = ?", json.dumps(merged), org.id)
        return merged

    def retire(self, org: Org) -> None:
        """Make an org inactive for good; its name and its usernames become free."""
        gone = f"{org.name[:40]}-gone-{org.id[8:15].lower()}"
        self.store.run("update org set active = 0, name = ? where id = ?", gone, org.id)
        self.store.run(
            "update person set active = 0, username = username || ? where org = ?",
            f".{gone}",
            org.id,
        )

    def person(self, identifier: str) -> Person | None:
        """Return a user by id."""
        row = self.store.row("select * from person where id = ?", identifier)
        return None if row is None else _person(row)

    def people(self, org: str) -> list[Person]:
        """Return the users of an org, the oldest first."""
        return [
            _person(row)
            for row in self.store.rows("select * from person where org = ? order by id", org)
        ]


def _org(row: Row) -> Org:
    return Org(
        id=row["id"],
        name=row["name"],
        organization_name=row["organization_name"],
        is_sandbox=bool(row["is_sandbox"]),
        organization_type=row["organization_type"],
        instance_name=row["instance_name"],
        parent=row["parent"],
        trial_ends_at=row["trial_ends_at"],
        active=bool(row["active"]),
        created_at=row["created_at"],
        options=json.loads(row["options"]),
    )


def _person(row: Row) -> Person:
    return Person(
        id=row["id"],
        org=row["org"],
        username=row["username"],
        full_name=row["full_name"],
        email=row["email"],
        profile=row["profile"],
        active=bool(row["active"]),
        password=row["password"],
    )
