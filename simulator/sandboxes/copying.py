"""Move sandbox processes over time and make their orgs.

A refresh makes a new org with a new organization id; the old one keeps working under the name until
activation, then it is inactive for good and its sessions are dead.
"""

from simulator.catalogue import holdings
from simulator.clock import rest_time
from simulator.identity import orgs, sessions
from simulator.identity.orgs import NewOrg
from simulator.rest import store
from simulator.rest.store import Record
from simulator.sandboxes import states
from simulator.sandboxes.rules import DAY, LICENCES
from simulator.sure import sure
from simulator.world import SANDBOX_SEPARATOR, Org, World

PENDING_SECONDS = 5.0
SHORT_SECONDS = 5.0
SAMPLING_SHARE = 0.3
_NEXT_LOOK = 0.25


def child_name(org: Org, sandbox: str) -> str:
    """Return the host label of an org's sandbox."""
    return f"{org.name}{SANDBOX_SEPARATOR}{sandbox}".lower()


def advance(world: World) -> float | None:
    """Move every sandbox process; return when to look again."""
    moving = [
        record
        for record in store.everywhere(world, "SandboxProcess")
        if record.fields["Status"] in states.IN_FLIGHT
    ]
    for record in moving:
        with world.store.transaction():
            _move(world, sure(store.one(world, record.org, "SandboxProcess", record.id), "kept"))
    still = any(r.fields["Status"] != states.PENDING_ACTIVATION for r in moving)
    return world.clock.now() + _NEXT_LOOK if still else None


def _move(world: World, process: Record) -> None:
    now = world.clock.now()
    status, since = process.fields["Status"], float(process.fields["_since"])
    copy = world.clock.scaled(LICENCES[process.fields["LicenseType"]].seconds)
    short = world.clock.scaled(SHORT_SECONDS)
    match status:
        case states.PENDING if now >= since + world.clock.scaled(PENDING_SECONDS):
            store.change(
                world, process, Status=states.PROCESSING, StartDate=rest_time(now), _since=now
            )
        case states.PROCESSING | states.SAMPLING:
            _copy(world, process, (now - since) / copy)
        case states.ACTIVATING if now >= since + short:
            _activate(world, process)
        case states.DISCARDING if now >= since + short:
            _discard(world, process)
        case states.DELETING if now >= since + short:
            store.change(world, process, Status=states.DELETED)


def _copy(world: World, process: Record, share: float) -> None:
    if share < 1.0:
        sampling = process.fields["LicenseType"] == "PARTIAL" and share > 1 - SAMPLING_SHARE
        status = states.SAMPLING if sampling else states.PROCESSING
        progress = int(100 * share)
        if (status, progress) != (process.fields["Status"], process.fields["CopyProgress"]):
            store.change(world, process, Status=status, CopyProgress=progress)
        return
    production = sure(world.org(process.org), "a process belongs to an org")
    name = child_name(production, process.fields["SandboxName"])
    current = world.org_named(name)
    made = _make_org(world, production, process, name)
    changes = {"CopyProgress": 100, "SandboxOrganization": made.id[:15], "_org": made.id}
    if current is not None and not process.fields["AutoActivate"]:
        store.change(world, process, Status=states.PENDING_ACTIVATION, **changes)
        return
    store.change(world, process, **changes)
    _activate(world, sure(store.one(world, process.org, "SandboxProcess", process.id), "kept"))


def _make_org(world: World, production: Org, process: Record, name: str) -> Org:
    """Make the copy under a name that nobody can address until it is activated."""
    source = production
    if process.fields["SourceId"]:
        info = store.one(world, production.id, "SandboxInfo", process.fields["SourceId"])
        found = info and world.org_named(child_name(production, info.fields["SandboxName"]))
        source = found or production
    number = world.store.next_number("sandbox.copy")
    hidden = f"{name[:40]}-copy{number}"
    suffix = process.fields["SandboxName"].lower()
    new = NewOrg(
        name=hidden,
        organization_name=production.organization_name,
        is_sandbox=True,
        parent=production.name,
        organization_type=production.organization_type,
        instance_name=f"SIM{1 + number % 9}S",
        users=[{"username": f"setup{number}@{hidden}.sim", "active": False}],
        options={**source.options, "license_type": process.fields["LicenseType"]},
    )
    made = orgs.create(world, new)
    _copy_people(world, source, made, suffix, renamed=source.id == production.id)
    holdings.copy(world, source.id, made.id)
    return made


def _copy_people(world: World, source: Org, made: Org, suffix: str, *, renamed: bool) -> None:
    """Copy users and apps; usernames get the sandbox's name, as the platform does."""
    for person in world.people(source.id):
        base = person.username if renamed else person.username.rsplit(".", 1)[0]
        fresh = {
            # Usernames are unique: the copy takes its own when it is activated.
            "username": f"{made.name}!{base}.{suffix}",
            "name": person.full_name,
            "email": person.email
            if person.email.endswith(".invalid")
            else f"{person.email}.invalid",
            "profile": person.profile,
            "active": person.active,
            "password": person.password,
        }
        orgs.add_user(world, made, fresh)
    world.store.run(
        "insert into app (org, client_id, client_secret, certificate, run_as, usernames)"
        " select ?, client_id, client_secret, certificate, null, null from app where org = ?",
        made.id,
        source.id,
    )


def _activate(world: World, process: Record) -> None:
    production = sure(world.org(process.org), "a process belongs to an org")
    name = child_name(production, process.fields["SandboxName"])
    made = sure(world.org(process.fields["_org"]), "the copy was made")
    old = world.org_named(name)
    if old is not None:
        sessions.end_all(world, old.id)
        world.retire(old)
    world.store.run("update org set name = ? where id = ?", name, made.id)
    world.store.run(
        "update person set username = replace(username, ?, '') where org = ?",
        f"{made.name}!",
        made.id,
    )
    now = world.clock.now()
    changes: dict[str, object] = {"Status": states.COMPLETED, "EndDate": rest_time(now)}
    if process.fields.get("_activated"):
        changes["ActivatedDate"] = rest_time(now)
    store.change(world, process, **changes)
    if process.fields["ApexClassId"]:
        person = orgs.first_person(world, sure(world.org(made.id), "just activated"))
        text = f"Ran the post-copy class {process.fields['ApexClassId']}"
        world.audit(made.id, person.id, "ranSandboxPostCopy", "Sandboxes", text)


def _discard(world: World, process: Record) -> None:
    made = world.org(process.fields["_org"])
    if made is not None:
        world.retire(made)
    changes = {"Status": states.DISCARDED, "EndDate": rest_time(world.clock.now())}
    store.change(world, process, **changes)


def adopt(world: World) -> None:
    """Give every sandbox that was made directly its SandboxInfo and a completed process."""
    active = {org.name: org for org in world.orgs() if org.active}
    for org in active.values():
        parent, separator, sandbox = org.name.partition(SANDBOX_SEPARATOR)
        production = active.get(parent)
        if not separator or production is None or not org.is_sandbox:
            continue
        infos = store.of_kind(world, production.id, "SandboxInfo")
        if any(r.fields["SandboxName"].lower() == sandbox for r in infos):
            continue
        _adopt_one(world, production, org, sandbox)


def _adopt_one(world: World, production: Org, org: Org, sandbox: str) -> None:
    person = orgs.first_person(world, production).id
    shared = {
        "SandboxName": sandbox, "LicenseType": org.options.get("license_type", "DEVELOPER"),
        "Description": None, "AutoActivate": True, "ApexClassId": None, "TemplateId": None,
        "ActivationUserGroupId": None, "SourceId": None, "HistoryDays": 0, "CopyChatter": False,
        "CopyArchivedActivities": False, "Features": "[]",
    }  # fmt: skip
    with world.store.transaction():
        info = store.add(world, production.id, person, "SandboxInfo", shared)
        # The option "copied_days_ago" lets a seeded sandbox be old enough to be refreshed.
        copied = world.clock.now() - DAY * float(org.options.get("copied_days_ago", 0))
        at = rest_time(copied)
        process = {
            **shared, "SandboxInfoId": info, "Status": states.COMPLETED, "CopyProgress": 100,
            "StartDate": at, "EndDate": at, "SandboxOrganization": org.id[:15], "_org": org.id,
            "RefreshAction": None, "ActivatedById": None, "ActivatedDate": None, "_since": 0,
        }  # fmt: skip
        made = store.add(world, production.id, person, "SandboxProcess", process)
        world.store.run("update record set created_at = ? where id = ?", copied, made)
        world.store.run("update org set parent = ? where id = ?", production.name, org.id)
