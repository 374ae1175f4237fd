"""Push upgrades as the command line, CumulusCI and plain clients order them; Bulk 2.0; Chatter."""

import time
from typing import Any

import pytest

from tests.simulator.packages import Client
from tests.support.simulator import SimulatorProcess

LOCK = {"ErrorType": "LockingFailure", "ErrorMessage": "The org was locked"}


class Publisher:
    """A packaging org with three versions and four subscribers."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        simulator.set_speed(100)
        self.client = Client(simulator.org())
        made = simulator.admin(
            "POST",
            f"/orgs/{self.client.org.name}/packages",
            {
                "name": "Tools",
                "namespace": "tools",
                "versions": [
                    {"number": "1.0.0.1"},
                    {"number": "1.1.0.1"},
                    {"number": "1.2.0.1", "state": "Beta"},
                ],
                "subscribers": [
                    {"name": "Good"},
                    {"name": "Locked", "push_error": LOCK},
                    {"name": "Gone", "status": "Inactive"},
                    {"name": "Newest", "version": 1},
                ],
            },
        )
        self.versions: list[str] = made["versions"]
        self.good, self.locked, self.gone, self.newest = made["subscribers"]

    def request(self, version: int = 1, **fields: Any) -> str:
        answer = self.ask(version, **fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def ask(self, version: int, **fields: Any) -> Any:
        body = {"PackageVersionId": self.versions[version], **fields}
        return self.client.call("POST", "sobjects/packagepushrequest/", json=body)

    def job(self, request: str, org: str) -> Any:
        body = {"PackagePushRequestId": request, "SubscriberOrganizationKey": org}
        return self.client.call("POST", "sobjects/PackagePushJob", json=body)

    def set(self, request: str, status: str) -> Any:
        path = f"sobjects/packagepushrequest/{request}"
        return self.client.call("PATCH", path, json={"Status": status})

    def status(self, request: str) -> str:
        rows = self.client.rows("SELECT Id, Status FROM PackagePushRequest")
        return next(str(row["Status"]) for row in rows if row["Id"] == request)

    def wait(self, request: str) -> str:
        end = time.monotonic() + 10
        while (status := self.status(request)) in ("Created", "Pending", "In Progress"):
            assert time.monotonic() < end
            time.sleep(0.02)
        return status


@pytest.fixture
def publisher(simulator: SimulatorProcess) -> Publisher:
    return Publisher(simulator)


def code(answer: Any) -> str:
    return str(answer.json()[0]["errorCode"])


def test_a_pushed_version_arrives(publisher: Publisher) -> None:
    request = publisher.request()
    assert publisher.job(request, publisher.good).status_code == 201
    assert publisher.set(request, "Pending").status_code == 204
    assert publisher.wait(request) == "Succeeded"
    rows = publisher.client.rows("SELECT OrgName, MetadataPackageVersionId FROM PackageSubscriber")
    held = {row["OrgName"]: row["MetadataPackageVersionId"] for row in rows}
    assert held["Good"] == publisher.versions[1]
    assert held["Locked"] == publisher.versions[0]


def test_one_failing_org_fails_the_request_and_says_why(publisher: Publisher) -> None:
    request = publisher.request()
    for org in (publisher.good, publisher.locked):
        publisher.job(request, org)
    publisher.set(request, "Pending")
    assert publisher.wait(request) == "Failed"
    rows = publisher.client.rows("SELECT Status FROM PackagePushJob ORDER BY Status")
    assert [row["Status"] for row in rows] == ["Failed", "Succeeded"]
    (error,) = publisher.client.rows(
        "SELECT ErrorType, ErrorMessage, PackagePushJob.Status FROM PackagePushError"
    )
    assert (error["ErrorType"], error["ErrorMessage"]) == ("LockingFailure", "The org was locked")
    assert error["PackagePushJob"]["Status"] == "Failed"


@pytest.mark.parametrize(
    ("org", "expected"),
    [
        ("gone", "INVALID_OPERATION"),
        ("newest", "INVALID_OPERATION"),
        ("nobody", "INVALID_OPERATION"),
    ],
)
def test_an_org_that_cannot_be_upgraded_is_refused(
    publisher: Publisher, org: str, expected: str
) -> None:
    key = getattr(publisher, org, "00D000000000009")
    assert code(publisher.job(publisher.request(), key)) == expected


def test_an_org_is_in_a_request_once_whatever_the_length_of_its_key(publisher: Publisher) -> None:
    request = publisher.request()
    assert publisher.job(request, publisher.good).status_code == 201
    assert code(publisher.job(request, publisher.good + "AAA")) in (
        "DUPLICATE_VALUE",
        "MALFORMED_ID",
    )


def test_a_beta_version_is_not_pushed(publisher: Publisher) -> None:
    assert code(publisher.ask(2)) == "INVALID_OPERATION"


def test_a_scheduled_push_waits_and_can_be_cancelled(publisher: Publisher) -> None:
    request = publisher.request(ScheduledStartTime="2099-01-01T00:00:00")
    publisher.job(request, publisher.good)
    publisher.set(request, "Pending")
    time.sleep(0.2)
    assert publisher.status(request) == "Pending"
    assert publisher.set(request, "Canceled").status_code == 204
    rows = publisher.client.rows("SELECT Status FROM PackagePushJob")
    assert [row["Status"] for row in rows] == ["Canceled"]
    assert code(publisher.set(request, "Canceled")) == "INVALID_STATUS"


def test_what_has_ended_cannot_be_cancelled(publisher: Publisher) -> None:
    request = publisher.request()
    publisher.job(request, publisher.good)
    publisher.set(request, "Pending")
    publisher.wait(request)
    assert code(publisher.set(request, "Canceled")) == "INVALID_STATUS"


def test_jobs_by_bulk_and_its_csv_of_failures(publisher: Publisher) -> None:
    client, request = publisher.client, publisher.request()
    job = client.call(
        "POST", "jobs/ingest", json={"operation": "insert", "object": "PackagePushJob"}
    )
    path = f"jobs/ingest/{job.json()['id']}"
    lines = [f"{request},{publisher.good}", f"{request},{publisher.gone}"]
    data = "\n".join(["PackagePushRequestId,SubscriberOrganizationKey", *lines])
    assert client.call("PUT", f"{path}/batches", data=data.encode()).status_code == 201
    client.call("PATCH", path, json={"state": "UploadComplete"})
    found = client.call("GET", path).json()
    assert (found["state"], found["numberRecordsProcessed"], found["numberRecordsFailed"]) == (
        "JobComplete",
        2,
        1,
    )
    failed = client.call("GET", f"{path}/failedResults/").text.splitlines()
    assert failed[0] == "sf__Id,sf__Error,PackagePushRequestId,SubscriberOrganizationKey"
    assert len(failed) == 2
    assert "INVALID_OPERATION" in failed[1]
    done = client.call("GET", f"{path}/successfulResults").text.splitlines()
    assert done[1].startswith("0DX")
    assert len(client.rows("SELECT Id FROM PackagePushJob")) == 1


def test_jobs_by_composite_tree_are_all_or_none(publisher: Publisher) -> None:
    client, request = publisher.client, publisher.request()

    def send(*orgs: str) -> Any:
        records = [
            {
                "attributes": {"type": "PackagePushJob", "referenceId": org},
                "PackagePushRequestId": request,
                "SubscriberOrganizationKey": org,
            }
            for org in orgs
        ]
        return client.call("POST", "composite/tree/PackagePushJob", json={"records": records})

    refused = send(publisher.good, publisher.gone)
    assert refused.status_code == 400
    (error,) = refused.json()["results"]
    assert (error["referenceId"], error["errors"][0]["statusCode"]) == (
        publisher.gone,
        "INVALID_OPERATION",
    )
    assert client.rows("SELECT Id FROM PackagePushJob") == []
    made = send(publisher.good, publisher.locked)
    assert made.status_code == 201
    assert [r["referenceId"] for r in made.json()["results"]] == [publisher.good, publisher.locked]


def test_the_command_lines_counts(publisher: Publisher) -> None:
    request = publisher.request()
    publisher.job(request, publisher.good)
    answer = publisher.client.query("SELECT Count(Id) FROM PackagePushJob WHERE Status = 'Created'")
    assert answer["records"][0]["expr0"] == 1
    rows = publisher.client.rows(
        "SELECT Id, PackageVersion.MetadataPackage.Name FROM PackagePushRequest"
    )
    assert rows[0]["PackageVersion"]["MetadataPackage"]["Name"] == "Tools"


def test_a_post_to_chatter_with_a_mention(simulator: SimulatorProcess) -> None:
    client = Client(simulator.org())
    (user,) = client.rows("SELECT Id FROM User")
    body = {
        "body": {
            "messageSegments": [
                {"type": "Text", "text": "Release ready "},
                {"type": "Mention", "id": user["Id"]},
            ]
        },
        "feedElementType": "FeedItem",
        "subjectId": "me",
    }
    answer = client.call("POST", "chatter/feed-elements", json=body)
    assert (answer.status_code, answer.json()["body"]["text"]) == (201, "Release ready @Admin")
    short = client.call(
        "POST", "chatter/feed-elements", params={"subjectId": user["Id"], "text": "Hello"}
    )
    assert short.status_code == 201
    assert client.rows("SELECT Body FROM FeedItem ORDER BY Body") == [
        {"Body": "Hello"},
        {"Body": "Release ready @Admin"},
    ]
    assert code(client.call("POST", "chatter/feed-elements", json={})) == "MISSING_ARGUMENT"
