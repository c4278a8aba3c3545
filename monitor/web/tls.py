"""TLS as tls_server_config has it, on Python's own ssl."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from monitor.web.web_config.schema import TlsSection

VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
VERIFY = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
REASONS = {
    "KEY_VALUES_MISMATCH": "the key does not belong to the certificate",
    "CA_MD_TOO_WEAK": "it is signed by too weak a digest",
    "EE_KEY_TOO_SMALL": "its key is too short",
}


CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


@dataclass(frozen=True)
class CertificateMaterial:
    """What a context is made of beside the settings, each PEM; `client_ca` may be empty."""

    cert: str
    key: str
    client_ca: str = ""


def make_context(section: TlsSection, material: CertificateMaterial) -> ssl.SSLContext:
    """The server's side.

    Raises:
        ValueError: with what is wrong, beginning with the key of the section.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.minimum_version = VERSIONS[section.min_version]
    context.maximum_version = VERSIONS[section.max_version]
    if not section.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    _choose_ciphers(context, section.cipher_suites)
    if section.curve_preferences:
        context.set_ecdh_curve(section.curve_preferences)
    _load_certificate(context, material)
    _load_client_ca(context, section, material)
    return context


def _choose_ciphers(context: ssl.SSLContext, names: tuple[str, ...]) -> None:
    if not names:
        return
    try:
        context.set_ciphers(":".join(names))
    except ssl.SSLError as error:
        raise ValueError("cipher_suites: OpenSSL has none of them here") from error


def _load_certificate(context: ssl.SSLContext, material: CertificateMaterial) -> None:
    if "-----BEGIN CERTIFICATE-----" not in material.cert:
        raise ValueError("cert: no certificate in PEM format")
    if "PRIVATE KEY-----" not in material.key:
        raise ValueError("key: no private key in PEM format")
    # OpenSSL takes the first key it finds, also one that stands with the certificate, and asks the terminal
    if "ENCRYPTED" in material.cert + material.key:
        raise ValueError("key: it has a passphrase, and nobody is there to type it")
    with _in_memory(f"{material.cert}\n{material.key}") as path:
        try:
            context.load_cert_chain(path)
        except OSError as error:
            reason = getattr(error, "reason", None) or str(error)
            why = REASONS.get(reason, f"they cannot be loaded: {reason}")
            raise ValueError(f"cert and key: {why}") from error


@contextmanager
def _in_memory(text: str) -> Iterator[str]:
    """A path to a file that is on no disk: certificates are only loaded by path."""
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        yield f"/proc/self/fd/{descriptor}"


def _load_client_ca(context: ssl.SSLContext, section: TlsSection, material: CertificateMaterial) -> None:
    context.verify_mode = VERIFY[section.client_auth_type]
    if context.verify_mode == ssl.CERT_NONE:
        return
    # an intermediate authority may be what is trusted, as with Go
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # text around the certificates may be in any language, as with Go; Python takes ASCII alone
    certificates = "\n".join(CERTIFICATE.findall(material.client_ca))
    try:
        context.load_verify_locations(cadata=certificates)
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise ValueError("client_ca: no certificate in PEM format") from error


def subject_alt_names(certificate: Mapping[str, Any]) -> set[str]:
    """The alternative names of a certificate as `getpeercert` has it: DNS, e-mail, URI, address."""
    names = certificate.get("subjectAltName", ())
    return {_address(name) if kind == "IP Address" else name for kind, name in names}


def _address(text: str) -> str:
    """As people write it: OpenSSL writes IPv6 in capitals and in full."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return text
