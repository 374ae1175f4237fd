"""One page for people: the orgs, the deployments, the last requests, what is not modelled."""

from html import escape

from simulator.clock import soap_time
from simulator.deploys import rows
from simulator.transport.messages import Response
from simulator.world import World

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2rem}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}"
    ":root{color-scheme:light dark}code{font-size:.9em}"
)


def render(world: World) -> Response:
    """Write the page."""
    names = {org.id: org.name for org in world.orgs()}
    body = [
        "<h1>Simulated Salesforce orgs</h1>",
        f"<p>{soap_time(world.clock.now())}, {world.clock.speed:g} times as fast.</p>",
        _table("Orgs", ("Name", "Id", "Kind", "Address", "Components"), _orgs(world)),
        _table("Deployments", ("Org", "Id", "Status", "Components", "Tests"), _deploys(world)),
        _table(
            "Requests", ("At", "Org", "Call", "Status", "Effect", "Fault"), _requests(world, names)
        ),
        _table("Not modelled", ("At", "Org", "What"), _warnings(world, names)),
    ]
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated orgs</title>'
        f"<style>{_STYLE}</style>{''.join(body)}</html>"
    )
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(200, page.encode(), "text/html;charset=UTF-8", headers)


def _table(title: str, heads: tuple[str, ...], lines: list[tuple[object, ...]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    rows_ = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in line) + "</tr>"
        for line in lines
    )
    empty = "" if lines else "<p>None.</p>"
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead>{rows_}</table>{empty}"


def _orgs(world: World) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for org in world.orgs():
        row = world.store.row(
            "select count(*) as held from component where org = ? and deleted = 0", org.id
        )
        kind = "sandbox" if org.is_sandbox else "production"
        state = kind if org.active else f"{kind}, inactive"
        held = row["held"] if row else 0
        found.append((org.name, org.id, state, world.base_url(org), held))
    return found


def _deploys(world: World) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    names = {org.id: org.name for org in world.orgs()}
    for row in world.store.rows("select * from deploy order by number desc limit 30"):
        deploy = rows.from_row(row)
        progress = rows.progress(world, deploy)
        status = f"{deploy.status}{' (check only)' if deploy.options.check_only else ''}"
        components = f"{progress.deployed}/{len(progress.plan.counted)}, {progress.errors} errors"
        tests = f"{len(progress.tested)}/{len(progress.plan.tests)}"
        found.append((names.get(deploy.org, ""), deploy.id, status, components, tests))
    return found


def _requests(world: World, names: dict[str, str]) -> list[tuple[object, ...]]:
    sql = "select * from journal order by number desc limit 50"
    return [
        (soap_time(row["at"]), names.get(row["org"], ""), row["call"], row["status"], row["effect"],
         row["fault"])
        for row in world.store.rows(sql)
    ]  # fmt: skip


def _warnings(world: World, names: dict[str, str]) -> list[tuple[object, ...]]:
    sql = "select * from warning order by number desc limit 50"
    return [
        (soap_time(row["at"]), names.get(row["org"], ""), row["message"])
        for row in world.store.rows(sql)
    ]
