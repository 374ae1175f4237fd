"""From a request to its answer: which org, which call, which fault, and a line in the journal."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from simulator.context import Context
from simulator.identity import oauth, sessions
from simulator.rest import bulk, chatter, composite, data, deployments, records
from simulator.sandboxes import calls as sandboxes
from simulator.sandboxes import connect
from simulator.soap import envelope, login, operations
from simulator.soap.envelope import SoapFault
from simulator.testruns import runs
from simulator.transport import faults
from simulator.transport.faults import Fault
from simulator.transport.messages import Refused, Request, Response, not_found, refusal
from simulator.transport.server import Drop
from simulator.world import NEWEST_VERSION, OLDEST_VERSION, Org, World
from simulator.xmltree import Element

log = logging.getLogger(__name__)
Handler = Callable[[Context], Response]
HOLD_SECONDS = 120.0
KEEP_JOURNAL = 50_000
_V = r"/services/data/v(?P<version>\d+\.\d)"


@dataclass(frozen=True, slots=True)
class Route:
    """An address with the name of its call."""

    method: str
    pattern: re.Pattern[str]
    call: str
    handler: Handler


def _route(method: str, pattern: str, call: str, handler: Handler) -> Route:
    return Route(method, re.compile(pattern + "/?", re.IGNORECASE), call, handler)


ROUTES: list[Route] = [
    _route("POST", "/services/oauth2/token", "oauth.token",
           lambda c: oauth.token(c.world, c.request, c.org)),
    _route("GET", "/services/oauth2/userinfo", "oauth.userinfo",
           lambda c: oauth.userinfo(c.world, c.request, c.org)),
    _route("POST", "/services/oauth2/userinfo", "oauth.userinfo",
           lambda c: oauth.userinfo(c.world, c.request, c.org)),
    _route("GET", r"/id/\w+/\w+", "oauth.userinfo",
           lambda c: oauth.userinfo(c.world, c.request, c.org)),
    _route("POST", "/services/oauth2/revoke", "oauth.revoke",
           lambda c: oauth.revoke(c.world, c.request)),
    _route("GET", "/services/oauth2/revoke", "oauth.revoke",
           lambda c: oauth.revoke(c.world, c.request)),
    _route("GET", "/services/data", "rest.versions", data.versions),
    _route("GET", _V, "rest.resources", data.resources),
    _route("GET", _V + "/limits", "rest.limits", data.limits),
    _route("GET", _V + "(/tooling)?/query(All)?", "rest.query", data.query),
    _route("GET", _V + r"(/tooling)?/query(All)?/(?P<locator>\w+-\d+)", "rest.query_more",
           data.query_more),
    _route("POST", _V + "/metadata/deployRequest", "deploy.start", deployments.start),
    _route("GET", _V + r"/metadata/deployRequest/(?P<id>\w+)", "deploy.status", deployments.status),
    _route("PATCH", _V + r"/metadata/deployRequest/(?P<id>\w+)", "deploy.cancel",
           deployments.cancel),
    _route("GET", _V + "(/tooling)?/sobjects", "rest.describe", data.describe_global),
    _route("GET", _V + r"(/tooling)?/sobjects/(?P<sobject>\w+)/describe", "rest.describe",
           data.describe),
    _route("GET", _V + r"(/tooling)?/sobjects/(?P<sobject>\w+)/(?P<id>\w{15,18})", "rest.read",
           data.read),
    _route("POST", _V + r"(/tooling)?/sobjects/(?P<sobject>\w+)", "rest.create", records.create),
    _route("PATCH", _V + r"(/tooling)?/sobjects/(?P<sobject>\w+)/(?P<id>\w{15,18})", "rest.change",
           records.change),
    _route("DELETE", _V + r"(/tooling)?/sobjects/(?P<sobject>\w+)/(?P<id>\w{15,18})",
           "rest.delete", records.delete),
    _route("POST", _V + r"/composite/tree/(?P<sobject>\w+)", "rest.create", records.tree),
    _route("POST", _V + "/composite", "rest.composite", lambda c: composite.answer(c, _inner)),
    _route("POST", _V + "/composite/batch", "rest.composite", lambda c: composite.batch(c, _inner)),
    _route("POST", _V + "(/tooling)?/composite/sobjects", "rest.create",
           lambda c: composite.sobjects(c, _inner)),
    _route("PATCH", _V + "(/tooling)?/composite/sobjects", "rest.change",
           lambda c: composite.sobjects(c, _inner)),
    _route("DELETE", _V + "(/tooling)?/composite/sobjects", "rest.delete",
           lambda c: composite.remove(c, _inner)),
    _route("GET", _V + "/sandbox/reports", "sandbox.report", connect.report),
    _route("GET", _V + r"/sandbox/sandboxes/(?P<id>\w+)", "sandbox.read", connect.one),
    _route("PATCH", _V + r"/sandbox/activate/(?P<id>\w+)", "sandbox.activate", connect.activate),
    _route("DELETE", _V + r"/sandbox/discardsandbox/(?P<id>\w+)", "sandbox.discard",
           connect.discard),
    _route("DELETE", _V + r"/sandbox/deletesandbox/(?P<id>\w+)", "sandbox.delete",
           connect.delete),
    _route("POST", _V + "/jobs/ingest", "bulk.create", bulk.create),
    _route("PUT", _V + r"/jobs/ingest/(?P<id>\w+)/batches", "bulk.upload", bulk.upload),
    _route("PATCH", _V + r"/jobs/ingest/(?P<id>\w+)", "bulk.change", bulk.change),
    _route("GET", _V + r"/jobs/ingest/(?P<id>\w+)", "bulk.status", bulk.status),
    _route("GET", _V + r"/jobs/ingest/(?P<id>\w+)/(?P<which>failedResults|successfulResults|"
           "unprocessedrecords)", "bulk.results", bulk.results),
    _route("POST", _V + "/chatter/feed-elements", "chatter.post", chatter.post),
    _route("POST", _V + "/tooling/runTestsAsynchronous", "tests.start", runs.asynchronously),
    _route("POST", _V + "/tooling/runTestsSynchronous", "tests.run", runs.synchronously),
    _route("POST", _V + "/tooling/sandboxAuth", "sandbox.auth", sandboxes.authorize),
]  # fmt: skip


def _inner(context: Context, request: Request) -> Response:
    """Answer a call that came inside another one."""
    for route in ROUTES:
        match = route.pattern.fullmatch(request.path)
        if match is not None and route.method == request.method:
            arguments = {k: v for k, v in match.groupdict().items() if v is not None}
            version = arguments.pop("version", context.version)
            return route.handler(
                replace(context, request=request, arguments=arguments, version=version)
            )
    raise not_found()


class Gateway:
    """Answer every request to the orgs."""

    def __init__(self, world: World, routes: list[Route]) -> None:
        self._world = world
        self._routes = routes

    def answer(self, request: Request) -> Response:
        """Answer one request; raises Drop when the connection is to be broken."""
        begun = time.perf_counter()
        org = sessions.addressed(self._world, request)
        call, work = self._prepare(request, org)
        subject = org or _org_of_token(self._world, request)
        fault = faults.take(self._world, subject.id if subject else None, call)
        try:
            response, drop = self._under(fault, work, request, subject)
        except Exception:
            log.exception("a request failed inside the simulator")
            response, drop = refusal(Refused(500, "UNKNOWN_EXCEPTION", "An internal error")), None
        self._note(request, subject, call, fault, response, time.perf_counter() - begun)
        if drop is not None:
            raise drop
        if subject is not None:
            response.headers.setdefault("Sforce-Limit-Info", "api-usage=1/100000")
        return response

    def _prepare(self, request: Request, org: Org | None) -> tuple[str, Callable[[], Response]]:
        """Return the call's name and what answers it."""
        if request.path.lower().startswith("/services/soap/"):
            return self._prepare_soap(request, org)
        if org is None and request.host not in sessions.LOOPBACK_HOSTS:
            return "unknown", lambda: refusal(Refused(404, "URL_NOT_RESET", "No org has this name"))
        known = False
        for route in self._routes:
            match = route.pattern.fullmatch(request.path)
            if match is None:
                continue
            known = True
            if route.method == request.method or (
                route.method == "GET" and request.method == "HEAD"
            ):
                arguments = {k: v for k, v in match.groupdict().items() if v is not None}
                return route.call, partial(self._rest, request, org, route, arguments)
        if known:
            message = f"HTTP Method '{request.method}' not allowed."
            return "unknown", lambda: refusal(Refused(405, "METHOD_NOT_ALLOWED", message))
        return "unknown", lambda: refusal(self._unknown(request, org))

    def _unknown(self, request: Request, org: Org | None) -> Refused:
        signed_in = sessions.of_request(self._world, request, org) is not None
        if signed_in:
            self._world.warn(
                org.id if org else None, f"Not modelled: {request.method} {request.path}"
            )
        return not_found()

    def _rest(
        self, request: Request, org: Org | None, route: Route, arguments: dict[str, str]
    ) -> Response:
        version = arguments.pop("version", f"{NEWEST_VERSION}.0")
        session = sessions.of_request(self._world, request, org)
        context = Context(self._world, request, org, session, version, arguments)
        try:
            if float(version) < OLDEST_VERSION:
                raise Refused(410, "GONE", f"API version {version} is retired")
            if float(version) > NEWEST_VERSION:
                raise not_found()
            return route.handler(context)
        except Refused as refused:
            return refusal(refused)

    def _prepare_soap(
        self, request: Request, org: Org | None
    ) -> tuple[str, Callable[[], Response]]:
        match = re.match(
            r"/services/soap/(?P<api>[a-z])/(?P<version>\d+\.\d)", request.path.lower()
        )
        partner = match is not None and match["api"] in "uc"
        namespace = envelope.PARTNER if partner else envelope.METADATA
        try:
            operation, header = envelope.read(request.body)
        except SoapFault as problem:
            refused = envelope.fault(problem.code, problem.message, namespace)
            return "unknown", lambda: refused
        version = match["version"] if match else f"{NEWEST_VERSION}.0"
        session = sessions.matching(
            sessions.of_token(self._world, envelope.session_id(header)), org
        )
        context = Context(self._world, request, org, session, version, {})
        if partner and operation.name == "login":
            return "soap.login", lambda: _soap(login.login, context, operation, namespace)
        known = operations.OPERATIONS.get(operation.name)
        if known is None or partner:
            message = f"Operation not supported: {operation.name}"
            return "unknown", lambda: envelope.fault("INVALID_OPERATION", message, namespace)
        call, handler = known
        return call, lambda: _soap(handler, context, operation, namespace)

    def _under(
        self, fault: Fault | None, work: Callable[[], Response], request: Request, org: Org | None
    ) -> tuple[Response, Drop | None]:
        """Answer, bent by a fault if one strikes."""
        if fault is None:
            return work(), None
        hold = float(fault.arguments.get("seconds", HOLD_SECONDS))
        soap = request.path.lower().startswith("/services/soap/")
        match fault.kind:
            case "timeout_before" | "reset_before":
                reset = fault.kind.startswith("reset")
                return Response(0), Drop(hold=0 if reset else hold, reset=reset)
            case "timeout_after" | "reset_after":
                reset = fault.kind.startswith("reset")
                return work(), Drop(hold=0 if reset else hold, reset=reset)
            case "slow":
                time.sleep(float(fault.arguments.get("seconds", 2)))
                return work(), None
            case "html":
                return Response(int(fault.arguments.get("status", 200)), _PAGE, "text/html"), None
            case "garbage":
                whole = work()
                whole.body = whole.body[: len(whole.body) // 2]
                return whole, None
            case "expired_session":
                if org is not None:
                    sessions.end_all(self._world, org.id)
                return _refused(soap, 401, "INVALID_SESSION_ID", "Session expired or invalid"), None
            case "jump":
                self._world.jump(float(fault.arguments.get("seconds", 3600)))
                return work(), None
        status = int(fault.arguments.get("status", 503))
        code = str(fault.arguments.get("code", _CODES.get(status, "UNKNOWN_EXCEPTION")))
        message = str(fault.arguments.get("message") or faults.words_for(code))
        return _refused(soap, status, code, message), None

    def _note(
        self,
        request: Request,
        org: Org | None,
        call: str,
        fault: Fault | None,
        response: Response,
        took: float,
    ) -> None:
        store = self._world.store
        store.run(
            "insert into journal (at, org, method, path, call, status, effect, fault, took)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._world.clock.now(),
            org.id if org else None,
            request.method,
            request.path,
            call,
            response.status,
            response.effect,
            fault.kind if fault else "",
            round(took, 5),
        )
        row = store.row("select max(number) as last from journal")
        if row is not None and row["last"] % 5000 == 0:
            store.run("delete from journal where number <= ?", row["last"] - KEEP_JOURNAL)


_PAGE = b"<html><head><title>Down for Maintenance</title></head><body>We are down.</body></html>"
_CODES = {
    401: "INVALID_SESSION_ID",
    403: "REQUEST_LIMIT_EXCEEDED",
    500: "UNKNOWN_EXCEPTION",
    503: "SERVER_UNAVAILABLE",
}


def _refused(soap: bool, status: int, code: str, message: str) -> Response:
    if soap:
        return envelope.fault(code, message)
    return refusal(Refused(status, code, message))


def _soap(
    handler: operations.Operation, context: Context, operation: Element, namespace: str
) -> Response:
    if namespace == envelope.METADATA and context.session is None:
        return envelope.fault("INVALID_SESSION_ID", operations.INVALID_SESSION)
    try:
        return handler(context, operation)
    except SoapFault as problem:
        return envelope.fault(problem.code, problem.message, namespace)
    except Refused as refused:
        return envelope.fault(refused.code, refused.message, namespace)


def _org_of_token(world: World, request: Request) -> Org | None:
    token = request.header("Authorization").partition(" ")[2].strip()
    if not token and b"sessionId>" in request.body[:4000]:
        token = (
            request.body.partition(b"sessionId>")[2].partition(b"<")[0].decode("ascii", "ignore")
        )
    session = sessions.of_token(world, token) if token else None
    return None if session is None else session.org
