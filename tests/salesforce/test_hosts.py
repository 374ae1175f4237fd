import pytest

from core.errors import InvalidInput
from salesforce.hosts import Hosts, parse

PRODUCT = Hosts.of()
SIMULATED = Hosts.of(["*.localhost:8443", "10.0.0.7:9443"], "/ca.pem")


@pytest.mark.parametrize(
    "text",
    [
        "login.salesforce.com",
        "https://test.salesforce.com/",
        "acme.my.salesforce.com",
        "ACME--uat.sandbox.my.salesforce.com",
        "acme-dev-ed.develop.my.salesforce.com:443",
    ],
)
def test_hosts_of_salesforce_are_allowed(text: str) -> None:
    assert PRODUCT.allows(parse(text))
    assert PRODUCT.verify(parse(text)) is True


@pytest.mark.parametrize(
    "text",
    [
        "evil.com",
        "my.salesforce.com",
        "acme.my.salesforce.com.evil.com",
        "evil.com/acme.my.salesforce.com",
        "acmemy.salesforce.com",
        "acme.my.salesforce.com:8443",
        "login.salesforce.com:444",
        "127.0.0.1",
        "localhost",
        "metadata.google.internal",
        "a.b.c.d.my.salesforce.com",
    ],
)
def test_every_other_host_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        PRODUCT.require(text)
    assert refused.value.code in ("host.not_allowed", "host.malformed")
    assert refused.value.field == "login_host"


@pytest.mark.parametrize(
    "text",
    [
        "http://acme.my.salesforce.com",
        "https://user:pw@acme.my.salesforce.com",
        "acme.my.salesforce.com@evil.com",
        "acme.my.salesforce.com/path",
        "acme.my.salesforce.com?x=1",
        "acme.my.salesforce.com#x",
        "acme.my.salesforce.com:99999",
        "acmé.my.salesforce.com",
        "acme my.salesforce.com",
        "",
    ],
)
def test_what_is_no_plain_address_is_malformed(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    assert refused.value.code == "host.malformed"


def test_listed_hosts_are_allowed_with_their_own_certificates_only() -> None:
    listed = SIMULATED.require("northwind--ci.localhost:8443")
    assert SIMULATED.verify(listed) == "/ca.pem"
    assert SIMULATED.verify(SIMULATED.require("acme.my.salesforce.com")) is True
    for text in ("northwind.localhost:8444", "localhost:8443", "a.b.localhost:8443", "10.0.0.7"):
        with pytest.raises(InvalidInput):
            SIMULATED.require(text)


def test_a_demo_reaches_only_listed_hosts() -> None:
    demo = Hosts.of(["*.localhost:8443"], only_listed=True)
    assert demo.allows(parse("northwind.localhost:8443"))
    with pytest.raises(InvalidInput) as refused:
        demo.require("login.salesforce.com")
    assert "demo" in refused.value.message


@pytest.mark.parametrize(
    ("login", "audience"),
    [
        ("login.salesforce.com", "https://login.salesforce.com"),
        ("test.salesforce.com", "https://test.salesforce.com"),
        ("acme.my.salesforce.com", "https://login.salesforce.com"),
        ("acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("acme--uat.my.salesforce.com", "https://test.salesforce.com"),
        ("acme-dev-ed.develop.my.salesforce.com", "https://login.salesforce.com"),
        ("quick-fox-1234.scratch.my.salesforce.com", "https://test.salesforce.com"),
        ("northwind.localhost:8443", "https://northwind.localhost:8443"),
    ],
)
def test_the_audience_follows_from_the_login_host(login: str, audience: str) -> None:
    assert SIMULATED.audience(SIMULATED.require(login)) == audience
