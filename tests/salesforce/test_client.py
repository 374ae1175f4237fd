"""The client against an org that misbehaves as scripted."""

import base64
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest

from core.errors import ExternalFault, FaultUnknown, InvalidInput
from salesforce import ids, wire
from salesforce.client import PAUSES, Org
from salesforce.hosts import Hosts
from salesforce.types import DeployOptions, Limit, Session
from tests.salesforce.scripted import (
    ORG_ID,
    USER_ID,
    Answer,
    Scripted,
    error,
    json_answer,
    page,
    soap,
)

DATA = "/services/data/v64.0"
QUERY = f"{DATA}/query/"
DEPLOY = f"{DATA}/metadata/deployRequest"
DEPLOY_ID = ids.long_id("0Af000000000001")
SOAP = "/services/Soap/m/64.0"
ORGANIZATION = json_answer(
    {
        "totalSize": 1,
        "done": True,
        "records": [
            {
                "attributes": {"type": "Organization"},
                "Id": ORG_ID[:15],
                "Name": "Northwind",
                "IsSandbox": True,
                "InstanceName": "CS1",
                "OrganizationType": "Enterprise Edition",
            }
        ],
    }
)
OPTIONS = DeployOptions(check_only=True, test_level="RunSpecifiedTests", run_tests=("FooTest",))
EXPIRED = error("INVALID_SESSION_ID", "Session expired or invalid", 401)


def refused(call: object) -> ExternalFault:
    """Call and return the fault."""
    with pytest.raises(ExternalFault) as raised:
        call()  # type: ignore[operator]
    return raised.value


def test_the_organization_is_read_with_its_long_id(server: Scripted, org: Org) -> None:
    server.on("GET", QUERY, ORGANIZATION)
    found = org.organization()
    assert (found.id, found.name, found.is_sandbox) == (ORG_ID, "Northwind", True)
    assert server.calls[0].headers["authorization"] == "Bearer 00D!token"


def test_all_pages_of_a_query_are_read(server: Scripted, org: Org) -> None:
    more = f"{DATA}/query/01g-2000"
    first = {"done": False, "nextRecordsUrl": more, "records": [{"Id": "1"}, {"Id": "2"}]}
    server.on("GET", QUERY, json_answer(first))
    server.on("GET", more, json_answer({"done": True, "records": [{"Id": "3"}]}))
    rows = org.query("SELECT Id FROM Account WHERE Name = {name}", name="O'Brien")
    assert [row["Id"] for row in rows] == ["1", "2", "3"]
    asked = parse_qs(server.calls[0].query)["q"][0]
    assert asked == r"SELECT Id FROM Account WHERE Name = 'O\'Brien'"


def test_a_next_page_on_another_host_is_not_asked_for(server: Scripted, org: Org) -> None:
    lie = "@other.localhost/steal"
    server.on("GET", QUERY, json_answer({"done": False, "nextRecordsUrl": lie, "records": []}))
    assert refused(lambda: org.query("SELECT Id FROM Account")).code == "org.answer_malformed"
    assert len(server.calls) == 1


def test_limits_leave_out_what_is_no_limit(server: Scripted, org: Org) -> None:
    server.on(
        "GET",
        f"{DATA}/limits/",
        json_answer({"DailyApiRequests": {"Max": 5000, "Remaining": 1250}, "Odd": {"Max": 3}}),
    )
    limits = org.limits()
    assert list(limits) == ["DailyApiRequests"]
    assert limits["DailyApiRequests"] == Limit("DailyApiRequests", 5000, 1250)


def test_api_versions_are_sorted_as_numbers(server: Scripted, org: Org) -> None:
    versions = [{"version": v} for v in ("64.0", "9.0", "63.0", "beta")]
    server.on("GET", "/services/data", json_answer(versions))
    assert org.api_versions() == ("9.0", "63.0", "64.0")


# Faults of reads ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code", "tries"),
    [
        (error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403), "org.limit", 1),
        (error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests exceeded.", 403), "org.limit", 4),
        (error("INSUFFICIENT_ACCESS", "no", 403), "org.forbidden", 1),
        (error("API_DISABLED_FOR_ORG", "no", 403), "org.forbidden", 1),
        (error("MALFORMED_QUERY", "unexpected token", 400), "org.refused", 1),
        (error("GONE", "retired", 410), "org.version_gone", 1),
        (error("UNABLE_TO_LOCK_ROW", "locked", 400), "org.busy", 4),
        (error("SERVER_UNAVAILABLE", "later", 503), "org.busy", 4),
        (error("UNKNOWN_EXCEPTION", "ErrorId 12", 500), "org.server_error", 4),
        (page(503), "org.html_answer", 4),
        (page(404), "org.html_answer", 1),
        (page(200), "org.answer_malformed", 1),
        (Answer(200, b"[1, 2", "application/json"), "org.answer_malformed", 1),
        (json_answer({"done": True}), "org.answer_malformed", 1),
        (Answer(302, headers={"Location": "https://evil.com/"}), "org.redirected", 1),
        (Answer(cut=True), "org.unreachable", 4),
    ],
)
def test_a_read_maps_its_fault_and_repeats_only_what_may_pass(
    server: Scripted, org: Org, pauses: list[float], answer: Answer, code: str, tries: int
) -> None:
    server.on("GET", QUERY, answer)
    fault = refused(org.organization)
    assert fault.code == code
    assert len(server.calls) == tries
    assert len(pauses) == tries - 1
    assert fault.retryable == (tries > 1)
    assert fault.message.endswith(".")
    assert "00D!token" not in fault.message


def test_pauses_grow_and_a_passing_fault_is_survived(
    server: Scripted, org: Org, pauses: list[float]
) -> None:
    server.on("GET", QUERY, page(502), page(503), ORGANIZATION)
    assert org.organization().name == "Northwind"
    assert [
        0.75 * wait <= paused <= 1.25 * wait for wait, paused in zip(PAUSES, pauses, strict=False)
    ]
    assert pauses[0] < pauses[1]


def test_an_answer_that_never_ends_is_cut_off(
    server: Scripted, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 1000)
    server.on("GET", QUERY, Answer(200, b" " * 5000))
    assert refused(org.organization).code == "org.answer_too_large"


def test_a_slow_answer_times_out(
    server: Scripted, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "READ_SECONDS", 0.05)
    server.on("GET", QUERY, Answer(wait=0.5))
    assert refused(org.organization).code == "org.timeout"


# Sessions ----------------------------------------------------------------------------------------


def renewing(server: Scripted, hosts: Hosts, session: Session, renewed: list[Session]) -> Org:
    """A client whose session is renewed from a list."""
    return Org(session, hosts=hosts, renew=lambda: renewed.pop(0), pause=lambda _: None)


def test_an_expired_session_is_renewed_once(
    server: Scripted, hosts: Hosts, session: Session
) -> None:
    fresh = Session("00D!fresh", server.url, ORG_ID, USER_ID)
    server.on("GET", QUERY, EXPIRED, ORGANIZATION)
    with renewing(server, hosts, session, [fresh]) as org:
        assert org.organization().id == ORG_ID
    assert server.calls[1].headers["authorization"] == "Bearer 00D!fresh"


def test_a_session_that_is_refused_again_is_given_up(
    server: Scripted, hosts: Hosts, session: Session
) -> None:
    fresh = Session("00D!fresh", server.url, ORG_ID, USER_ID)
    server.on("GET", QUERY, EXPIRED)
    with renewing(server, hosts, session, [fresh, fresh]) as org:
        assert refused(org.organization).code == "org.session_expired"
    assert len(server.calls) == 2


def test_a_renewed_session_in_another_organization_is_not_used(
    server: Scripted, hosts: Hosts, session: Session
) -> None:
    other = Session("00D!other", server.url, "00D000000000002EAA", USER_ID)
    server.on("POST", DEPLOY, EXPIRED, json_answer({"id": DEPLOY_ID}, 201))
    with renewing(server, hosts, session, [other]) as org:
        assert refused(lambda: org.deploy(b"zip", OPTIONS)).code == "org.mismatch"
    assert len(server.calls) == 1


def test_a_soap_fault_about_the_session_renews_it_too(
    server: Scripted, hosts: Hosts, session: Session
) -> None:
    expired = soap(
        "<soapenv:Fault><faultcode>sf:INVALID_SESSION_ID</faultcode>"
        "<faultstring>INVALID_SESSION_ID: Invalid Session ID</faultstring></soapenv:Fault>",
        500,
    )
    started = soap(
        "<retrieveResponse><result><done>false</done><id>09S000000000001</id>"
        "<state>Queued</state></result></retrieveResponse>"
    )
    server.on("POST", SOAP, expired, started)
    fresh = Session("00D!fresh", server.url, ORG_ID, USER_ID)
    with renewing(server, hosts, session, [fresh]) as org:
        remote_id = org.start_retrieve({"ApexClass": ["*"]})
    assert remote_id.startswith("09S000000000001")
    assert b"00D!fresh" in server.calls[1].body


def test_a_session_elsewhere_is_refused_before_anything_is_sent(hosts: Hosts) -> None:
    with pytest.raises(InvalidInput) as raised:
        Org(Session("t", "https://evil.com", ORG_ID, USER_ID), hosts=hosts)
    assert raised.value.code == "host.not_allowed"


# Deploying ---------------------------------------------------------------------------------------


def test_a_deployment_is_sent_as_two_parts(server: Scripted, org: Org) -> None:
    server.on("POST", DEPLOY, json_answer({"id": DEPLOY_ID[:15]}, 201))
    assert org.deploy(b"PK\x03\x04zip", OPTIONS) == DEPLOY_ID
    call = server.calls[0]
    boundary = call.headers["content-type"].partition("boundary=")[2].encode()
    _, options, package, end = call.body.split(b"--" + boundary)
    assert b'name="json"' in options
    assert b"Content-Type: application/json" in options
    sent = json.loads(options.split(b"\r\n\r\n", 1)[1])["deployOptions"]
    assert sent["checkOnly"] is True
    assert sent["rollbackOnError"] is True
    assert sent["singlePackage"] is True
    assert sent["runTests"] == ["FooTest"]
    assert b'name="file"' in package
    assert package.split(b"\r\n\r\n", 1)[1] == b"PK\x03\x04zip\r\n"
    assert end.strip() == b"--"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(cut=True),
        page(502),
        page(200),
        error("UNKNOWN_EXCEPTION", "ErrorId", 500),
        error("SERVER_UNAVAILABLE", "later", 503),
        json_answer({}, 201),
        json_answer({"id": "nonsense"}, 201),
        json_answer(["no", "object"], 201),
        Answer(302, headers={"Location": "https://evil.com/"}),
    ],
)
def test_a_deployment_whose_answer_is_lost_is_unknown_and_not_sent_again(
    server: Scripted, org: Org, answer: Answer
) -> None:
    server.on("POST", DEPLOY, answer)
    fault = refused(lambda: org.deploy(b"zip", OPTIONS))
    assert isinstance(fault, FaultUnknown)
    assert fault.code == "org.outcome_unknown"
    assert not fault.retryable
    assert len(server.calls) == 1


def test_a_deployment_that_times_out_after_it_was_sent_is_unknown(
    server: Scripted, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("salesforce.client.ANSWER_SECONDS", 0.05)
    server.on("POST", DEPLOY, Answer(wait=0.5))
    assert isinstance(refused(lambda: org.deploy(b"zip", OPTIONS)), FaultUnknown)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (error("INVALID_OPERATION", "Too many files in zip", 400), "org.refused"),
        (error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403), "org.limit"),
        (error("INSUFFICIENT_ACCESS", "no", 403), "org.forbidden"),
        (EXPIRED, "org.session_expired"),
    ],
)
def test_a_deployment_that_the_org_refuses_in_words_is_known_not_to_have_happened(
    server: Scripted, org: Org, answer: Answer, code: str
) -> None:
    server.on("POST", DEPLOY, answer)
    fault = refused(lambda: org.deploy(b"zip", OPTIONS))
    assert not isinstance(fault, FaultUnknown)
    assert fault.code == code
    assert len(server.calls) == 1


def test_a_deployment_that_never_left_is_known_not_to_have_happened() -> None:
    gone = Hosts.of(["gone.localhost:1"])
    session = Session("t", "https://gone.localhost:1", ORG_ID, USER_ID)
    with Org(session, hosts=gone) as org:
        fault = refused(lambda: org.deploy(b"zip", OPTIONS))
    assert not isinstance(fault, FaultUnknown)
    assert fault.code == "org.unreachable"


def test_an_upload_that_is_too_slow_stops_and_is_unknown(
    server: Scripted, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("POST", DEPLOY, json_answer({"id": DEPLOY_ID}, 201))
    clock = iter(range(0, 1_000_000, 100))
    monkeypatch.setattr(wire, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    fault = refused(lambda: org.deploy(b"x" * 200_000, OPTIONS))
    assert isinstance(fault, FaultUnknown)


def test_the_upload_limit_is_what_the_engine_waits_for() -> None:
    assert wire.UPLOAD_SECONDS == 300


def test_a_deployment_is_sent_over_a_fresh_connection(server: Scripted, org: Org) -> None:
    server.on("GET", QUERY, ORGANIZATION)
    server.on("POST", DEPLOY, json_answer({"id": DEPLOY_ID}, 201))
    org.organization()
    org.organization()
    org.deploy(b"zip", OPTIONS)
    first, second, third = (call.peer for call in server.calls)
    assert first == second
    assert third != second


def test_a_quick_deploy_names_the_validation(server: Scripted, org: Org) -> None:
    server.on("POST", DEPLOY, json_answer({"id": "0Af000000000002"}, 201))
    assert org.quick_deploy(DEPLOY_ID).startswith("0Af000000000002")
    assert json.loads(server.calls[0].body) == {"validatedDeployRequestId": DEPLOY_ID}


def test_a_validation_that_no_longer_counts_is_void(server: Scripted, org: Org) -> None:
    server.on("POST", DEPLOY, error("INVALID_ID_FIELD", "not eligible", 400))
    assert refused(lambda: org.quick_deploy(DEPLOY_ID)).code == "org.validation_void"


def test_cancelling_asks_the_org_to_stop(server: Scripted, org: Org) -> None:
    path = f"{DEPLOY}/{DEPLOY_ID}"
    server.on("PATCH", path, json_answer({"deployResult": {"status": "Canceling"}}, 202))
    org.cancel(DEPLOY_ID)
    assert json.loads(server.calls[0].body)["deployResult"] == {"status": "Canceling"}
    assert server.calls[0].headers["content-type"] == "application/json"


def test_cancelling_what_has_ended_is_too_late(server: Scripted, org: Org) -> None:
    server.on("PATCH", f"{DEPLOY}/{DEPLOY_ID}", error("INVALID_ID_FIELD", "completed", 400))
    assert refused(lambda: org.cancel(DEPLOY_ID)).code == "org.too_late"


def test_the_status_of_a_deployment_is_read_with_its_details(server: Scripted, org: Org) -> None:
    result = {"id": DEPLOY_ID, "status": "InProgress", "done": False}
    server.on("GET", f"{DEPLOY}/{DEPLOY_ID}", json_answer({"deployResult": result}))
    status = org.deploy_status(DEPLOY_ID[:15])
    assert (status.status, status.done, status.id) == ("InProgress", False, DEPLOY_ID)
    assert "includeDetails=true" in server.calls[0].query


def test_recent_deployments_are_those_of_our_own_user(server: Scripted, org: Org) -> None:
    row = {
        "Id": DEPLOY_ID,
        "Status": "Pending",
        "CheckOnly": False,
        "NumberComponentsTotal": 0,
        "CreatedById": USER_ID,
        "CreatedDate": "2026-10-20T15:31:00.000+0000",
        "CompletedDate": None,
    }
    server.on("GET", f"{DATA}/tooling/query/", json_answer({"done": True, "records": [row]}))
    found = org.recent_deploys(datetime(2026, 10, 20, 15, 0, tzinfo=UTC))
    assert found[0].id == DEPLOY_ID
    assert found[0].created_at == datetime(2026, 10, 20, 15, 31, tzinfo=UTC)
    asked = parse_qs(server.calls[0].query)["q"][0]
    assert f"CreatedById = '{USER_ID}'" in asked
    assert "CreatedDate >= 2026-10-20T15:00:00.000Z" in asked


# Retrieving --------------------------------------------------------------------------------------


def retrieved(zip_file: str, *, success: str = "true", extra: str = "") -> Answer:
    """The answer of a finished retrieve."""
    return soap(
        "<checkRetrieveStatusResponse><result><done>true</done>"
        f"{extra}<id>09S000000000001</id><status>Succeeded</status>"
        f"<success>{success}</success>{zip_file}</result></checkRetrieveStatusResponse>"
    )


def test_a_retrieve_gives_zip_messages_and_properties(server: Scripted, org: Org) -> None:
    extra = (
        "<fileProperties><fileName>unpackaged/classes/Foo.cls</fileName><fullName>Foo</fullName>"
        "<lastModifiedByName>Ana</lastModifiedByName>"
        "<lastModifiedDate>2026-10-20T15:31:00.000Z</lastModifiedDate><type>ApexClass</type>"
        "</fileProperties><messages><fileName>unpackaged/package.xml</fileName>"
        "<problem>Entity of type 'ApexClass' named 'Bar' cannot be found</problem></messages>"
    )
    packed = base64.b64encode(b"PK zip").decode()
    server.on("POST", SOAP, retrieved(f"<zipFile>{packed}</zipFile>", extra=extra))
    answer = org.retrieve_status("09S000000000001")
    assert answer.done
    assert answer.success
    assert answer.zip_bytes == b"PK zip"
    assert answer.messages == (
        "unpackaged/package.xml: Entity of type 'ApexClass' named 'Bar' cannot be found",
    )
    assert answer.file_properties[0].last_modified_by == "Ana"


@pytest.mark.parametrize(
    "answer",
    [
        retrieved(""),
        retrieved("<zipFile>%%%</zipFile>"),
        soap("<nothing/>"),
        Answer(200, b"<open", "text/xml"),
        Answer(
            200,
            b'<!DOCTYPE a [<!ENTITY b "c">]><Envelope><result>&b;</result></Envelope>',
            "text/xml",
        ),
        page(200),
    ],
    ids=["no zip", "no base64", "no result", "no xml", "entities", "page"],
)
def test_a_malformed_retrieve_is_a_fault(server: Scripted, org: Org, answer: Answer) -> None:
    server.on("POST", SOAP, answer)
    fault = refused(lambda: org.retrieve_status("09S000000000001"))
    assert fault.code == "org.answer_malformed"


def test_a_manifest_is_written_sorted_and_escaped(server: Scripted, org: Org) -> None:
    server.on("POST", SOAP, Answer(200, b"<a/>", "text/xml"))
    refused(lambda: org.start_retrieve({"Layout": ["A & B-<x>"], "ApexClass": ["Foo", "Bar"]}))
    body = server.calls[0].body.decode()
    assert body.index("ApexClass") < body.index("Layout")
    assert "A &amp; B-&lt;x&gt;" in body
    assert body.index("<met:members>Bar") < body.index("<met:members>Foo")


@pytest.mark.parametrize("manifest", [{}, {"ApexClass": []}])
def test_an_empty_manifest_is_refused(org: Org, manifest: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidInput) as raised:
        org.start_retrieve(manifest)
    assert raised.value.code == "retrieve.empty"


def test_a_name_with_control_characters_is_refused(org: Org) -> None:
    with pytest.raises(InvalidInput) as raised:
        org.start_retrieve({"ApexClass": ["Foo\x00"]})
    assert raised.value.code == "retrieve.bad_name"
