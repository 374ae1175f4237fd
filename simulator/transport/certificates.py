"""A certificate authority of its own, good for nothing but this machine.

The CA is critically constrained to names below localhost and addresses in 127.0.0.0/8 (RFC 5280
4.2.1.10): whoever trusts it cannot be fooled about any other host. OpenSSL does not accept a
wildcard directly below a top-level name, so each host asked for by SNI gets its own leaf.
"""

import contextlib
import datetime
import ipaddress
import os
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_FILE = "ca.pem"
CA_KEY_FILE = "ca.key"
DEFAULT_HOST = "localhost"
YEARS = 10
MAX_CONTEXTS = 1000
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


class Authority:
    """Make server contexts for any host below localhost, signed by the CA kept in a directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.ca_path = directory / CA_FILE
        self._lock = threading.Lock()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._key, self._certificate = self._load_or_make()
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._scratch = directory / "tls"
        self._scratch.mkdir(mode=0o700, exist_ok=True)

    def server_context(self) -> ssl.SSLContext:
        """Return a context that answers with a fitting leaf whatever host is asked for."""
        context = self._context_for(DEFAULT_HOST)
        context.sni_callback = self._choose
        return context

    def _choose(
        self, connection: ssl.SSLObject, host: str | None, _context: ssl.SSLContext
    ) -> int | None:
        if host is None:
            return None
        if host != DEFAULT_HOST and not host.endswith(".localhost"):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self._context_for(host.lower())
        return None

    def _context_for(self, host: str) -> ssl.SSLContext:
        with self._lock:
            if host not in self._contexts:
                if len(self._contexts) >= MAX_CONTEXTS:
                    self._contexts.pop(next(iter(self._contexts)))
                self._contexts[host] = self._make_context(host)
            return self._contexts[host]

    def _make_context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        pem = self._scratch / f"{threading.get_ident()}.pem"
        key = self._leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        _write_private(pem, self._leaf(host).public_bytes(serialization.Encoding.PEM) + key)
        try:
            context.load_cert_chain(pem)
        finally:
            with contextlib.suppress(FileNotFoundError):
                pem.unlink()
        return context

    def _load_or_make(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key_path = self._directory / CA_KEY_FILE
        if key_path.exists() and self.ca_path.exists():
            key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{key_path} holds another kind of key than this program makes")
            return key, x509.load_pem_x509_certificate(self.ca_path.read_bytes())
        made = ec.generate_private_key(ec.SECP256R1())
        certificate = _make_ca(made)
        _write_private(
            key_path,
            made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        self.ca_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return made, certificate

    def _leaf(self, host: str) -> x509.Certificate:
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if host == DEFAULT_HOST:
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        builder = _dated(x509.CertificateBuilder())
        return (
            builder.subject_name(_name(host[:64]))
            .issuer_name(self._certificate.subject)
            .public_key(self._leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _dated(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(
        now + datetime.timedelta(days=365 * YEARS)
    )


def _make_ca(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    permitted: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(_LOOPBACK)]
    name = _name("Local simulator of Salesforce orgs")
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _dated(x509.CertificateBuilder())
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
