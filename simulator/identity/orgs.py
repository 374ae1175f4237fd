"""Make orgs with their users and connected apps."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from simulator import ids
from simulator.sure import sure
from simulator.world import Org, Person, World

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
INTEGRATION_PROFILE = "System Administrator"


class Unusable(Exception):
    """A description of an org that cannot be made; the text is for people."""


@dataclass(frozen=True, slots=True)
class NewOrg:
    """What an org is made of. Names are host labels; a sandbox is called parent--sandbox."""

    name: str
    organization_name: str
    is_sandbox: bool = False
    org_id: str | None = None
    parent: str | None = None
    organization_type: str = "Enterprise Edition"
    instance_name: str = ""
    trial_days: float | None = None
    users: list[dict[str, Any]] = field(default_factory=list)
    apps: list[dict[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


def parse(description: dict[str, Any]) -> NewOrg:
    """Read the JSON form of a new org; Unusable names what is wrong."""
    known = set(NewOrg.__dataclass_fields__) | {
        "metadata_zip_base64",
        "metadata_dir",
        "metadata_of",
    }
    unknown = set(description) - known
    if unknown:
        raise Unusable(f"An org has no {', '.join(sorted(unknown))}; it has {sorted(known)}.")
    name = str(description.get("name", ""))
    if not _NAME.fullmatch(name) or len(name) > 63:
        raise Unusable(f"{name!r} cannot be part of a host name; use letters, digits and hyphens.")
    fields = {
        key: value for key, value in description.items() if key in NewOrg.__dataclass_fields__
    }
    fields.setdefault("organization_name", name)
    org_id = fields.get("org_id")
    if org_id and (not ids.is_valid(org_id) or not org_id.startswith(ids.ORGANIZATION)):
        raise Unusable(f"{org_id} is no organization id: 00D and 15 or 18 characters in all.")
    return NewOrg(**fields)


def create(world: World, new: NewOrg) -> Org:
    """Make the org; Unusable when its name or id is taken."""
    with world.store.transaction():
        if world.store.row("select 1 from org where name = ?", new.name):
            raise Unusable(f"There is already an org called {new.name}.")
        org_id = ids.with_checksum(new.org_id[:15]) if new.org_id else _new_org_id(world)
        if world.org(org_id) is not None:
            raise Unusable(f"There is already an org with the id {org_id}.")
        world.store.run(
            "insert into org (id, name, organization_name, is_sandbox, organization_type,"
            " instance_name, parent, created_at, options, trial_ends_at)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            org_id,
            new.name.lower(),
            new.organization_name,
            int(new.is_sandbox),
            new.organization_type,
            new.instance_name or ("SIM1S" if new.is_sandbox else "SIM1"),
            new.parent,
            world.clock.now(),
            json.dumps(new.options),
            None if new.trial_days is None else world.clock.now() + 86400 * float(new.trial_days),
        )
        org = sure(world.org(org_id), "an org just inserted is there")
        for user in new.users or [{"username": f"admin@{new.name}.sim"}]:
            add_user(world, org, user)
        for app in new.apps:
            add_app(world, org, app)
    return org


def add_user(world: World, org: Org, user: dict[str, Any]) -> Person:
    """Add a user; usernames are unique over all orgs, as on the platform."""
    username = str(user.get("username", ""))
    if "@" not in username:
        raise Unusable(f"{username!r} is no username; it has the form of an e-mail address.")
    if world.store.row("select 1 from person where username = ?", username):
        raise Unusable(f"The username {username} is taken; they are unique over all orgs.")
    identifier = world.store.new_id(ids.USER)
    world.store.run(
        "insert into person (id, org, username, full_name, email, profile, active, password)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        identifier,
        org.id,
        username,
        str(user.get("name") or username.split("@")[0].replace(".", " ").title()),
        str(user.get("email") or username),
        str(user.get("profile") or INTEGRATION_PROFILE),
        int(user.get("active", True)),
        user.get("password"),
    )
    return sure(world.person(identifier), "a person just inserted is there")


def add_app(world: World, org: Org, app: dict[str, Any]) -> None:
    """Add or replace a connected app (client id, secret, certificate for JWT)."""
    client_id = str(app.get("client_id", ""))
    if not client_id:
        raise Unusable("An app needs a client_id.")
    certificate = app.get("certificate_pem")
    if certificate:
        try:
            x509.load_pem_x509_certificate(str(certificate).encode())
        except ValueError as error:
            raise Unusable(f"The certificate of {client_id} cannot be read: {error}.") from error
    users = app.get("users")
    world.store.run(
        "insert or replace into app (org, client_id, client_secret, certificate, run_as, usernames)"
        " values (?, ?, ?, ?, ?, ?)",
        org.id,
        client_id,
        app.get("client_secret"),
        certificate,
        app.get("run_as"),
        None if users is None else json.dumps([str(name).lower() for name in users]),
    )


def first_person(world: World, org: Org) -> Person:
    """Return the org's oldest active user: who acts when nobody else is named."""
    for person in world.people(org.id):
        if person.active:
            return person
    raise Unusable(f"The org {org.name} has no active user.")


def _new_org_id(world: World) -> str:
    return world.store.new_id(ids.ORGANIZATION)
