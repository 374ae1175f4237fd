"""The operator's JSON interface on its own loopback port.

Only requests that name a loopback host are answered, and whatever changes something must come as
application/json or from the form of the operator's own page (Origin says so): a page of another
site in the operator's browser can do none of that.
"""

import base64
import re
from collections.abc import Callable
from typing import Any

from simulator import seed
from simulator.admin import page
from simulator.catalogue import holdings, registry
from simulator.clock import soap_time
from simulator.deploys import plan as plans
from simulator.deploys import results, rows
from simulator.identity import orgs, sessions
from simulator.identity.orgs import Unusable
from simulator.packages import catalogue as packages
from simulator.sandboxes import copying
from simulator.transport import faults
from simulator.transport.faults import BadFault
from simulator.transport.messages import Request, Response, as_json
from simulator.world import Org, World

_HOSTS = ("127.0.0.1", "localhost")
Answerer = Callable[["Admin", Request, str], Any]


class Unknown(Exception):
    """What is asked for does not exist."""


class Admin:
    """Answer the operator."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._routes: list[tuple[str, str, Answerer]] = [
            ("GET", "/orgs", Admin._orgs),
            ("POST", "/orgs", Admin._create),
            ("GET", "/orgs/([^/]+)", Admin._one),
            ("GET", "/orgs/([^/]+)/metadata", Admin._metadata),
            ("POST", "/orgs/([^/]+)/metadata", Admin._change),
            ("POST", "/orgs/([^/]+)/faults", Admin._fault),
            ("DELETE", "/orgs/([^/]+)/faults", Admin._clear),
            ("POST", "/orgs/([^/]+)/users", Admin._user),
            ("POST", "/orgs/([^/]+)/apps", Admin._app),
            ("POST", "/orgs/([^/]+)/packages", Admin._package),
            ("POST", "/orgs/([^/]+)/tests", Admin._tests),
            ("POST", "/orgs/([^/]+)/options", Admin._options),
            ("DELETE", "/orgs/([^/]+)/sessions", Admin._end_sessions),
            ("GET", "/faults", lambda admin, request, _: faults.listed(admin.world)),
            ("POST", "/faults", Admin._fault),
            ("DELETE", "/faults", Admin._clear),
            ("GET", "/deploys", Admin._deploys),
            ("GET", "/deploys/count", Admin._count_deploys),
            ("GET", "/deploys/([^/]+)", Admin._deploy),
            ("GET", "/requests", Admin._requests),
            ("GET", "/warnings", Admin._warnings),
            ("GET", "/clock", Admin._clock),
            ("POST", "/clock", Admin._set_clock),
        ]

    def answer(self, request: Request) -> Response:
        """Answer one request of the operator."""
        if request.host not in _HOSTS:
            return as_json({"error": "This port answers only to 127.0.0.1 and localhost."}, 403)
        if request.method == "GET" and request.path == "/":
            return page.render(self.world, request)
        if request.method == "POST" and request.path == "/":
            return self._form(request)
        writes = request.method not in ("GET", "HEAD", "DELETE")
        if writes and not request.header("Content-Type").startswith("application/json"):
            return as_json({"error": "Send the body as application/json."}, 415)
        try:
            return self._routed(request)
        except Unknown as unknown:
            return as_json({"error": str(unknown)}, 404)
        except (Unusable, BadFault, ValueError, TypeError, KeyError) as error:
            return as_json({"error": f"{error}"}, 400)

    def _form(self, request: Request) -> Response:
        try:
            return page.take_form(self.world, request)
        except (BadFault, ValueError) as error:
            return Response(400, str(error).encode(), "text/plain;charset=UTF-8")

    def _routed(self, request: Request) -> Response:
        known = False
        for method, pattern, handler in self._routes:
            match = re.fullmatch(pattern, request.path.rstrip("/"))
            if match is None:
                continue
            known = True
            if method == request.method:
                value = handler(self, request, match.group(1) if match.groups() else "")
                return as_json(value, 201 if method == "POST" else 200)
        if known:
            return as_json({"error": f"{request.method} is not answered here."}, 405)
        raise Unknown(f"There is nothing at {request.path}.")

    def _org(self, name: str) -> Org:
        org = self.world.org_named(name)
        if org is None:
            raise Unknown(f"There is no org called {name}.")
        return org

    def _orgs(self, request: Request, _: str) -> list[dict[str, Any]]:
        return [describe(self.world, org) for org in self.world.orgs()]

    def _one(self, request: Request, name: str) -> dict[str, Any]:
        return describe(self.world, self._org(name))

    def _create(self, request: Request, _: str) -> dict[str, Any]:
        org = seed.create(self.world, request.json(), None)
        copying.adopt(self.world)
        return describe(self.world, org)

    def _metadata(self, request: Request, name: str) -> Any:
        org = self._org(name)
        held = holdings.of_org(self.world, org.id)
        wanted = request.query.get("path")
        if wanted is None:
            kind = request.query.get("type")
            return [
                {
                    "type": c.type,
                    "name": c.name,
                    "path": holdings.path_of(c),
                    "modified": soap_time(c.modified_at),
                    "sha256": c.files[holdings.path_of(c)],
                }
                for c in held.values()
                if kind in (None, c.type)
            ]
        for component in held.values():
            if wanted in component.files:
                files = holdings.file_of(self.world, org.id, component)
                if wanted in files and not _is_child(component):
                    return {"path": wanted, "content": files[wanted].decode("utf-8", "replace")}
        raise Unknown(f"{name} holds no file {wanted}.")

    def _change(self, request: Request, name: str) -> dict[str, Any]:
        """Change an org behind everybody's back: no deployment, but the audit trail has it."""
        org, body = self._org(name), request.json()
        person = orgs.first_person(self.world, org)
        if "delete" in body:
            kind, full = body["delete"]["type"], body["delete"]["name"]
            if not holdings.delete(self.world, org.id, person.id, kind, full):
                raise Unknown(f"{name} holds no {kind} {full}.")
            self.world.audit(org.id, person.id, f"deleted{kind}", kind, f"Deleted {kind} {full}")
            return {"changed": 1}
        if "zip_base64" in body:
            files = seed.unzipped(body["zip_base64"])
        else:
            files = {body["path"]: _content(body)}
            files |= self._companions(org, body["path"])
        changed = seed.load_metadata(self.world, org, files)
        for path in files:
            self.world.audit(org.id, person.id, "changedMetadata", "Setup", f"Changed {path}")
        return {"changed": changed}

    def _companions(self, org: Org, path: str) -> dict[str, bytes]:
        """Return the other files of the component that a path belongs to."""
        for component in holdings.of_org(self.world, org.id).values():
            if path in component.files and not _is_child(component):
                if len(component.files) == 1:
                    return {}
                files = holdings.file_of(self.world, org.id, component)
                return {other: data for other, data in files.items() if other != path}
        return {}

    def _fault(self, request: Request, name: str) -> dict[str, Any]:
        org = self._org(name).id if name else None
        return {"number": faults.add(self.world, org, request.json())}

    def _clear(self, request: Request, name: str) -> dict[str, Any]:
        faults.clear(self.world, self._org(name).id if name else None)
        return {}

    def _user(self, request: Request, name: str) -> dict[str, Any]:
        org = self._org(name)
        person = orgs.add_user(self.world, org, request.json())
        by = orgs.first_person(self.world, org).id
        text = f"Created new user {person.full_name}"
        self.world.audit(org.id, by, "createduser", "Manage Users", text)
        return {"id": person.id, "username": person.username}

    def _app(self, request: Request, name: str) -> dict[str, Any]:
        org, app = self._org(name), request.json()
        orgs.add_app(self.world, org, app)
        by, text = orgs.first_person(self.world, org).id, f"Saved app {app['client_id']}"
        self.world.audit(org.id, by, "savedConnectedApp", "Connected Apps", text)
        return {}

    def _package(self, request: Request, name: str) -> dict[str, Any]:
        return packages.add(self.world, self._org(name), request.json())

    def _tests(self, request: Request, name: str) -> dict[str, Any]:
        """Set how tests go: {"ClassTest.method": {"message": …, "seconds": …, "flaky": true}}."""
        rules = {
            str(test).lower(): {"method": str(test), **rule}
            for test, rule in request.json().items()
        }
        for rule in rules.values():
            unknown = set(rule) - {"method", "message", "seconds", "flaky", "runs"}
            if unknown:
                raise ValueError(f"A test rule has no {', '.join(sorted(unknown))}.")
        return self._merge(name, {"tests": rules})

    def _options(self, request: Request, name: str) -> dict[str, Any]:
        return self._merge(name, request.json())

    def _merge(self, name: str, changes: dict[str, Any]) -> dict[str, Any]:
        return self.world.set_options(self._org(name), changes)

    def _end_sessions(self, request: Request, name: str) -> dict[str, Any]:
        sessions.end_all(self.world, self._org(name).id)
        return {}

    def _deploys(self, request: Request, _: str) -> list[dict[str, Any]]:
        name = request.query.get("org")
        wanted = [self._org(name)] if name else self.world.orgs()
        listed = []
        for org in wanted:
            for deploy in rows.of_org(self.world, org.id):
                result = results.result(self.world, deploy, details=False)
                listed.append({"org": org.name, "kind": deploy.kind, **result})
        return listed

    def _count_deploys(self, request: Request, _: str) -> dict[str, int]:
        sql = "select status, count(*) as number from deploy group by status"
        return {row["status"]: int(row["number"]) for row in self.world.store.rows(sql)}

    def _deploy(self, request: Request, identifier: str) -> dict[str, Any]:
        for org in self.world.orgs():
            deploy = rows.of_id(self.world, org.id, identifier)
            if deploy is not None:
                result = results.result(self.world, deploy, details=True)
                zip_text = base64.b64encode(self.world.store.get(deploy.zip)).decode()
                planned = deploy.plan and plans.load(self.world, deploy.plan)
                level = planned.test_level if planned else ""
                tests = {"testLevel": level, "runTests": deploy.options.run_tests}
                return {"org": org.name, **result, **tests, "zip_base64": zip_text}
        raise Unknown(f"There is no deployment {identifier}.")

    def _requests(self, request: Request, _: str) -> list[dict[str, Any]]:
        """List requests, the oldest first; filters org, call, effect=1 (only those with one)."""
        names = {org.id: org.name for org in self.world.orgs()}
        after = int(request.query.get("after", 0))
        sql = "select * from journal where number > ? order by number"
        return [
            {**{key: row[key] for key in tuple(row.keys())}, "org": names.get(row["org"], "")}
            for row in self.world.store.rows(sql, after)
            if request.query.get("org") in (None, names.get(row["org"], ""))
            and request.query.get("call") in (None, row["call"])
            and (not request.query.get("effect") or row["effect"])
        ]

    def _warnings(self, request: Request, _: str) -> list[dict[str, Any]]:
        names = {org.id: org.name for org in self.world.orgs()}
        return [
            {
                "at": soap_time(row["at"]),
                "org": names.get(row["org"], ""),
                "message": row["message"],
            }
            for row in self.world.store.rows("select * from warning order by number")
        ]

    def _clock(self, request: Request, _: str) -> dict[str, Any]:
        clock = self.world.clock
        return {"now": soap_time(clock.now()), "speed": clock.speed, "offset": clock.offset}

    def _set_clock(self, request: Request, _: str) -> dict[str, Any]:
        """Jump (`jump_seconds`) and set the factor for durations (`speed`)."""
        body = request.json()
        if "speed" in body:
            self.world.clock.set_speed(float(body["speed"]))
        if "jump_seconds" in body:
            self.world.jump(float(body["jump_seconds"]))
        return self._clock(request, "")


def _is_child(component: holdings.Component) -> bool:
    return component.type in registry.parent_of()


def _content(body: dict[str, Any]) -> bytes:
    if "content_base64" in body:
        return base64.b64decode(body["content_base64"])
    return str(body["content"]).encode()


def describe(world: World, org: Org) -> dict[str, Any]:
    """Return what the operator sees of an org."""
    row = world.store.row(
        "select count(*) as held from component where org = ? and deleted = 0", org.id
    )
    return {
        "id": org.id,
        "name": org.name,
        "organization_name": org.organization_name,
        "is_sandbox": org.is_sandbox,
        "parent": org.parent,
        "active": org.active,
        "url": world.base_url(org),
        "users": [person.username for person in world.people(org.id)],
        "components": 0 if row is None else int(row["held"]),
        "options": org.options,
    }
