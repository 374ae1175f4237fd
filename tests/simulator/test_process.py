"""The process itself: TLS, restart, seeds, load, its operator's port."""

import json
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from cryptography import x509

from simulator.identity.orgs import Unusable
from simulator.seed import load
from simulator.world import World
from tests.simulator.packages import Client, class_with_test, custom_object
from tests.support.simulator import SimulatorProcess, StartSimulator, app_key

CLASSES = {"ApexClass": ["*"]}


def test_a_killed_simulator_goes_on_where_it_was(start_simulator: StartSimulator) -> None:
    process = start_simulator(speed=2)
    client = Client(process.org(is_sandbox=True))
    running = client.start(class_with_test("Foo"), CLASSES)
    waiting = client.start(class_with_test("Bar"), CLASSES)
    while client.status(running)["status"] != "InProgress":
        time.sleep(0.02)
    port = process.port
    process.kill()
    process.speed = 100
    process.start()
    assert process.port == port
    assert client.wait(running)["success"]
    assert client.wait(waiting)["success"]
    assert len(client.org.components()) == 4
    assert len(client.org.deploys()) == 2


def test_the_clocks_shift_survives_a_restart(start_simulator: StartSimulator) -> None:
    process = start_simulator()
    process.jump(1000)
    process.stop()
    process.start()
    assert process.admin("GET", "/clock")["offset"] == 1000


def test_a_seed_makes_orgs_once(start_simulator: StartSimulator, tmp_path: Path) -> None:
    metadata = tmp_path / "production"
    for path, text in {**class_with_test("Foo"), **custom_object("T__c", "A__c")}.items():
        (metadata / path).parent.mkdir(parents=True, exist_ok=True)
        (metadata / path).write_text(text)
    seed = tmp_path / "seed.json"
    org = {
        "name": "acme",
        "organization_name": "Acme Ltd",
        "org_id": "00D5f000000ABCD",
        "users": [{"username": "a@acme.test"}],
        "metadata_dir": "production",
    }
    seed.write_text(json.dumps({"orgs": [org]}))
    process = start_simulator(arguments=("--seed", str(seed)))
    (found,) = process.admin("GET", "/orgs")
    assert (found["id"][:15], found["components"]) == ("00D5f000000ABCD", 4)
    process.admin("POST", "/orgs/acme/metadata", {"delete": {"type": "ApexClass", "name": "Foo"}})
    process.stop()
    process.start()
    assert process.admin("GET", "/orgs")[0]["components"] == 3


@pytest.mark.parametrize(
    ("seed", "words"),
    [
        ("{", "cannot be read"),
        ('{"orgs":[{"name":"a b"}]}', "cannot be part of a host name"),
        ('{"orgs":[{"name":"a","org_id":"00X"}]}', "is no organization id"),
        ('{"orgs":[{"name":"a","colour":"red"}]}', "An org has no colour"),
        ('{"orgs":[{"name":"a","metadata_dir":"nowhere"}]}', "does not exist"),
        ('{"orgs":[{"name":"a","users":[{"username":"x"}]}]}', "is no username"),
        ('{"orgs":[{"name":"a","apps":[{"client_id":"c","certificate_pem":"x"}]}]}', "certificate"),
    ],
)
def test_a_faulty_seed_is_refused_with_a_sentence(tmp_path: Path, seed: str, words: str) -> None:
    path = tmp_path / "seed.json"
    path.write_text(seed)
    with pytest.raises(Unusable, match=words):
        load(World(tmp_path, speed=1, plain=True), path)


def test_a_process_with_a_faulty_seed_says_so_and_ends(
    start_simulator: StartSimulator, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        start_simulator(arguments=("--seed", str(tmp_path / "nowhere.json")))
    assert "The simulator cannot start: The seed" in (tmp_path / "simulator0.log").read_text()


def test_many_connections_at_once_are_served(simulator: SimulatorProcess) -> None:
    url = f"https://127.0.0.1:{simulator.port}/services/data"
    barrier = threading.Barrier(130)

    def ask() -> int:
        barrier.wait(20)
        return requests.get(url, verify=str(simulator.ca_file), timeout=30).status_code

    with ThreadPoolExecutor(130) as pool:
        statuses = [future.result() for future in [pool.submit(ask) for _ in range(130)]]
    assert statuses == [200] * 130


def test_the_ca_is_critically_constrained_to_this_machine(simulator: SimulatorProcess) -> None:
    certificate = x509.load_pem_x509_certificate(simulator.ca_file.read_bytes())
    constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    names = [str(name.value) for name in constraints.value.permitted_subtrees or []]
    assert names == ["localhost", "127.0.0.0/8"]


@pytest.mark.parametrize("host", ["acme.localhost", "acme--uat.sandbox.my.localhost", "localhost"])
def test_every_host_below_localhost_gets_its_certificate(
    simulator: SimulatorProcess, host: str
) -> None:
    context = ssl.create_default_context(cafile=str(simulator.ca_file))
    with (
        socket.create_connection(("127.0.0.1", simulator.port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname=host) as secured,
    ):
        assert secured.version() in ("TLSv1.2", "TLSv1.3")


def test_a_host_elsewhere_gets_none(simulator: SimulatorProcess) -> None:
    context = ssl.create_default_context(cafile=str(simulator.ca_file))
    with (
        socket.create_connection(("127.0.0.1", simulator.port), timeout=5) as raw,
        pytest.raises(ssl.SSLError),
        context.wrap_socket(raw, server_hostname="login.salesforce.com"),
    ):
        pass


def test_plain_http_works_when_asked_for(start_simulator: StartSimulator) -> None:
    process = start_simulator(plain=True)
    org = process.org()
    assert org.url.startswith("http://")
    assert Client(org).rows("SELECT Id FROM Organization") == [{"Id": org.id}]


def test_an_unknown_org_is_not_found(simulator: SimulatorProcess) -> None:
    url = f"https://nobody.localhost:{simulator.port}/services/data"
    assert simulator.http.get(url, timeout=5).status_code == 404


class TestOperator:
    """The operator's port."""

    def test_a_change_behind_the_back_shows_in_org_and_audit_trail(
        self, simulator: SimulatorProcess
    ) -> None:
        client = Client(simulator.org())
        client.deploy(class_with_test("Foo"), CLASSES)
        client.org.change("classes/Foo.cls", "public class Foo { /* changed */ }")
        assert "changed" in client.org.content("classes/Foo.cls")
        (row, *_) = client.rows(
            "SELECT Action, Display, CreatedBy.Name FROM SetupAuditTrail ORDER BY CreatedDate DESC"
        )
        assert (row["Action"], row["CreatedBy"]["Name"]) == ("changedMetadata", "Admin")

    def test_the_page_shows_an_org_and_sets_faults(self, simulator: SimulatorProcess) -> None:
        client = Client(simulator.org())
        result = client.deploy(class_with_test("Foo"), CLASSES)
        url = f"http://127.0.0.1:{simulator.state['admin_port']}"
        org = client.org.name

        def page(query: str) -> str:
            return requests.get(f"{url}/?{query}", timeout=5).text

        assert "classes/FooTest.cls" in page(f"org={org}")
        assert "class Foo" in page(f"org={org}&path=classes/Foo.cls")
        assert "FooTest" in page(f"deploy={result['id']}")
        form = {"org": org, "do": "add", "kind": "status", "call": "rest.limits", "times": "1"}
        foreign = requests.post(url, form, headers={"Origin": "https://evil.example"}, timeout=5)
        assert foreign.status_code == 403
        own = requests.post(url, form, headers={"Origin": url}, timeout=5)
        assert "rest.limits" in own.text
        assert [client.call("GET", "limits").status_code for _ in range(2)] == [503, 200]

    def test_pages_of_other_sites_are_refused(self, simulator: SimulatorProcess) -> None:
        url = f"http://127.0.0.1:{simulator.state['admin_port']}/clock"
        foreign = requests.get(url, headers={"Host": "evil.example"}, timeout=5)
        assert foreign.status_code == 403
        form = requests.post(url, data='{"jump_seconds": 1}', timeout=5)
        assert form.status_code == 415

    def test_the_page_for_people_shows_orgs_and_is_safe(self, simulator: SimulatorProcess) -> None:
        org = simulator.org(organization_name="<script>alert(1)</script>")
        page = requests.get(f"http://127.0.0.1:{simulator.state['admin_port']}/", timeout=5)
        assert org.name in page.text
        assert "<script>" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("GET", "/orgs/nobody", None, 404),
            ("GET", "/nothing", None, 404),
            ("DELETE", "/orgs", None, 405),
            ("POST", "/orgs", {"name": "-"}, 400),
            ("POST", "/clock", {"speed": 0}, 400),
            ("GET", "/deploys/0Af000000000001AAA", None, 404),
        ],
    )
    def test_mistakes_are_named(
        self, simulator: SimulatorProcess, method: str, path: str, body: object, status: int
    ) -> None:
        with pytest.raises(RuntimeError, match=f": {status} "):
            simulator.admin(method, path, body)

    def test_names_ids_and_users_are_unique(self, simulator: SimulatorProcess) -> None:
        org = simulator.org()
        with pytest.raises(RuntimeError, match="already an org called"):
            simulator.org(org.name, username="other@x.test")
        with pytest.raises(RuntimeError, match="already an org with the id"):
            simulator.org(org_id=org.id)
        with pytest.raises(RuntimeError, match="is taken"):
            simulator.org(username=org.username)

    def test_a_second_key_is_another_one(self) -> None:
        assert app_key("one").private_pem != app_key("two").private_pem
