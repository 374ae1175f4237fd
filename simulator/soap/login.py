"""SOAP login, where the org still allows it: not at 65.0 and later, off unless the org says so."""

from simulator.context import Context
from simulator.identity import oauth, sessions
from simulator.soap import envelope
from simulator.soap.envelope import PARTNER, SoapFault
from simulator.transport.messages import Response
from simulator.xmltree import Element

GONE_FROM = 65.0


def login(context: Context, call: Element) -> Response:
    """Answer login() of the partner API."""
    if float(context.version) >= GONE_FROM:
        raise SoapFault("INVALID_OPERATION", "SOAP API login() is not available in this version")
    person = oauth.by_password(context.world, call.value("username"), call.value("password"))
    org = None if person is None else context.world.org(person.org)
    if person is None or org is None or (context.org is not None and context.org.id != org.id):
        raise SoapFault(
            "INVALID_LOGIN", "Invalid username, password, security token; or user locked out."
        )
    if not org.options.get("soap_login", False):
        raise SoapFault("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.")
    base = sessions.base_for(context.world, org, context.request)
    result = {
        "metadataServerUrl": f"{base}/services/Soap/m/{context.version}/{org.id}",
        "passwordExpired": False,
        "sandbox": org.is_sandbox,
        "serverUrl": f"{base}/services/Soap/u/{context.version}/{org.id[:15]}",
        "sessionId": sessions.issue(context.world, org, person, "SOAP"),
        "userId": person.id,
        "userInfo": {
            "organizationId": org.id,
            "organizationName": org.organization_name,
            "userEmail": person.email,
            "userFullName": person.full_name,
            "userId": person.id,
            "userName": person.username,
        },
    }
    return envelope.write(
        "login", result, namespace=PARTNER, effect=f"session for {person.username}"
    )
