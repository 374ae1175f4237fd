"""The operator's pages for people: the orgs and what they hold, deployments, requests, faults."""

from html import escape
from urllib.parse import urlencode

from simulator.admin.parts import Cell, Link, document, fault_form, table
from simulator.catalogue import holdings, registry
from simulator.clock import soap_time
from simulator.deploys import results, rows
from simulator.transport import faults
from simulator.transport.messages import Request, Response
from simulator.world import Org, World

_SHOWN = 50


def render(world: World, request: Request) -> Response:
    """Write the page that the query asks for: an org, a file, a deployment, or the overview."""
    org = world.org_named(request.query.get("org", ""))
    if "deploy" in request.query:
        return _deploy(world, request.query["deploy"])
    if org is not None and "path" in request.query:
        return _file(world, org, request.query["path"])
    return _overview(world) if org is None else _org(world, org)


def take_form(world: World, request: Request) -> Response:
    """Set or clear faults from the form, which only a page of this port may send."""
    if request.header("Origin") != f"http://{request.header('Host')}":
        return Response(403, b"Only the operator's own page may send this form.", "text/plain")
    form = request.form()
    org = world.org_named(form.get("org", ""))
    if form.get("do") == "clear":
        faults.clear(world, org.id if org else None)
    else:
        names = ("call", "kind", "code", "message", "component")
        rule: dict[str, object] = {n: form[n] for n in names if form.get(n)}
        rule |= {n: int(form[n]) for n in ("times", "skip", "status") if form.get(n)}
        rule |= {n: float(form[n]) for n in ("seconds", "probability") if form.get(n)}
        faults.add(world, org.id if org else None, rule)
    return Response(303, headers={"Location": f"/?{urlencode({'org': org.name})}" if org else "/"})


def _overview(world: World) -> Response:
    names = {org.id: org.name for org in world.orgs()}
    return document(
        "Simulated Salesforce orgs",
        f"<p>{soap_time(world.clock.now())}, {world.clock.speed:g} times as fast.</p>",
        table("Orgs", ("Name", "Id", "Kind", "Address", "Components"), _orgs(world)),
        _deploys(world, names, None),
        _requests(world, names, None),
        table("Not modelled", ("At", "Org", "What"), _warnings(world, names)),
        _faults(world, names, None),
        fault_form(""),
    )


def _org(world: World, org: Org) -> Response:
    held = holdings.of_org(world, org.id)
    shown: list[tuple[Cell, ...]] = []
    for component in sorted(held.values(), key=lambda c: (c.type, c.name)):
        path = holdings.path_of(component)
        place = Link(f"/?{urlencode({'org': org.name, 'path': path})}", path)
        shown.append((component.type, component.name, place, soap_time(component.modified_at)))
    names = {org.id: org.name}
    return document(
        f"Org {org.name}",
        f'<p><a href="/">All orgs</a>. {escape(org.organization_name)}, {escape(org.id)}, '
        f"{escape(world.base_url(org))}</p>",
        _deploys(world, names, org),
        _requests(world, names, org),
        _faults(world, names, org),
        fault_form(org.name),
        table("Metadata", ("Type", "Name", "File", "Changed"), shown),
    )


def _file(world: World, org: Org, path: str) -> Response:
    back = f'<p><a href="/?{urlencode({"org": org.name})}">{escape(org.name)}</a></p>'
    for component in holdings.of_org(world, org.id).values():
        if path in component.files and component.type not in registry.parent_of():
            text = holdings.file_of(world, org.id, component)[path].decode("utf-8", "replace")
            return document(path, back, f'<pre tabindex="0">{escape(text)}</pre>')
    return document(path, back, "<p>The org holds no such file of its own.</p>", status=404)


def _deploy(world: World, identifier: str) -> Response:
    for org in world.orgs():
        deploy = rows.of_id(world, org.id, identifier)
        if deploy is None:
            continue
        result = results.result(world, deploy, details=True)
        details = result.pop("details")
        told = [*details["componentFailures"], *details["componentSuccesses"]]
        tests = details["runTestResult"]
        run = [*tests["failures"], *tests["successes"]]
        return document(
            f"Deployment {deploy.id}",
            f'<p><a href="/?{urlencode({"org": org.name})}">{escape(org.name)}</a></p>',
            table("Result", ("Field", "Value"), list(result.items())),
            table(
                "Components",
                ("Type", "Name", "File", "Line", "Problem"),
                [
                    (m["componentType"], m["fullName"], m["fileName"], m.get("lineNumber", ""),
                     m.get("problem", ""))
                    for m in told
                ],
            ),
            table(
                "Tests",
                ("Class", "Method", "Milliseconds", "Message"),
                [(t["name"], t["methodName"], t["time"], t.get("message", "")) for t in run],
            ),
        )  # fmt: skip
    return document("No such deployment", '<p><a href="/">All orgs</a></p>', status=404)


def _orgs(world: World) -> list[tuple[Cell, ...]]:
    found: list[tuple[Cell, ...]] = []
    for org in world.orgs():
        row = world.store.row(
            "select count(*) as held from component where org = ? and deleted = 0", org.id
        )
        kind = "sandbox" if org.is_sandbox else "production"
        state = kind if org.active else f"{kind}, inactive"
        name = Link(f"/?{urlencode({'org': org.name})}", org.name) if org.active else org.name
        found.append((name, org.id, state, world.base_url(org), row["held"] if row else 0))
    return found


def _deploys(world: World, names: dict[str, str], org: Org | None) -> str:
    found: list[tuple[Cell, ...]] = []
    sql = "select * from deploy where ? in ('', org) order by number desc limit ?"
    for row in world.store.rows(sql, _key(org), _SHOWN):
        deploy = rows.from_row(row)
        progress = rows.progress(world, deploy)
        status = f"{deploy.status}{' (check only)' if deploy.options.check_only else ''}"
        components = f"{progress.deployed}/{len(progress.plan.counted)}, {progress.errors} errors"
        tests = f"{len(progress.tested)}/{len(progress.plan.tests)}"
        link = Link(f"/?{urlencode({'deploy': deploy.id})}", deploy.id)
        found.append((names.get(deploy.org, ""), link, status, components, tests))
    return table("Deployments", ("Org", "Id", "Status", "Components", "Tests"), found)


def _requests(world: World, names: dict[str, str], org: Org | None) -> str:
    sql = "select * from journal where ? in ('', org) order by number desc limit ?"
    found: list[tuple[Cell, ...]] = [
        (soap_time(row["at"]), names.get(row["org"], ""), row["call"], row["status"], row["effect"],
         row["fault"])
        for row in world.store.rows(sql, _key(org), _SHOWN)
    ]  # fmt: skip
    return table("Requests", ("At", "Org", "Call", "Status", "Effect", "Fault"), found)


def _key(org: Org | None) -> str:
    return "" if org is None else org.id


def _faults(world: World, names: dict[str, str], org: Org | None) -> str:
    found: list[tuple[Cell, ...]] = [
        (names.get(rule["org"], "all"), rule["call"], rule["kind"], rule["remaining"] or "",
         rule["seen"], " ".join(f"{k}={v}" for k, v in rule["arguments"].items()))
        for rule in faults.listed(world)
        if org is None or rule["org"] in (None, org.id)
    ]  # fmt: skip
    return table("Faults", ("Org", "Call", "Kind", "Left", "Calls seen", "With"), found)


def _warnings(world: World, names: dict[str, str]) -> list[tuple[Cell, ...]]:
    sql = "select * from warning order by number desc limit ?"
    return [
        (soap_time(row["at"]), names.get(row["org"], ""), row["message"])
        for row in world.store.rows(sql, _SHOWN)
    ]
