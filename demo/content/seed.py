"""Write what the simulator needs to play Northwind's orgs: seed.json and the keys to sign in.

Every org begins as production was before last week's release. The platform team's two private keys
(production and sandboxes apart) stay beside the seed, readable by their owner only.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from demo.content import production
from demo.content.components import Component, Key
from demo.content.layout import metadata_format, zip_of
from demo.content.orgs import CLIENT_ID, ORGS, Org
from demo.content.repositories import STORIES
from demo.content.story import components_at

#: What production held before the release of last week, by team.
BEFORE = {"sales": "v4.0.0", "service": "v1.8.0", "loyalty": "v0.6.0"}
SEED = "seed.json"
KEY_BITS = 2048
CERTIFICATE_DAYS = 3650


def write(directory: Path) -> Path:
    """Write keys and seed below the directory unless they are there; give the seed's path."""
    directory.mkdir(parents=True, exist_ok=True)
    seed = directory / SEED
    if seed.is_file():
        return seed
    certificates = {kind: _make_key(directory, kind) for kind in ("production", "sandbox")}
    package = base64.b64encode(metadata_zip()).decode()
    orgs = [_org(org, certificates, package) for org in ORGS]
    unfinished = seed.with_suffix(".tmp")
    unfinished.write_text(json.dumps({"orgs": orgs}, indent=1))
    unfinished.rename(seed)
    return seed


def private_key(directory: Path, org: Org) -> str:
    """Read the key with which the integration user of an org signs in."""
    return _key_path(directory, _kind(org)).read_text()


def components() -> dict[Key, Component]:
    """Gather everything that production held before last week's release."""
    held = production.components()
    for team, tag in BEFORE.items():
        held |= components_at(STORIES[team], tag)
    return held


def metadata_zip() -> bytes:
    """Pack what production held as a zip in metadata format."""
    return zip_of(metadata_format(components()))


def _org(org: Org, certificates: dict[str, str], package: str) -> dict[str, Any]:
    return {
        "name": org.name,
        "organization_name": "Northwind",
        "is_sandbox": not org.is_production,
        "org_id": org.org_id,
        "users": [{"username": org.username}],
        "apps": [{"client_id": CLIENT_ID, "certificate_pem": certificates[_kind(org)]}],
        "metadata_zip_base64": package,
        "options": _copied(org),
    }


def _copied(org: Org) -> dict[str, Any]:
    """Of which type a sandbox is and how long ago it was copied: a TEST is too young for a refresh.

    Intervals: ``environments.rules_sandboxes``.
    """
    if org.is_production:
        return {}
    kinds = {"partial_copy": "PARTIAL"}
    days = {"DEV": 34, "CI": 61, "TEST": 3, "PRE-PRD": 45}
    return {
        "license_type": kinds.get(org.licence_type, org.licence_type.upper()),
        "copied_days_ago": days[org.stage],
    }


def _kind(org: Org) -> str:
    return "production" if org.is_production else "sandbox"


def _key_path(directory: Path, kind: str) -> Path:
    return directory / f"{kind}.key"


def _make_key(directory: Path, kind: str) -> str:
    """Make a key and its certificate; the key's file is never readable by others."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    path = _key_path(directory, kind)
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Gatehouse demo {kind}")])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
