"""Server TLS context: creation from the settings in tls_server_config."""

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

VERIFY_MODES = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}

OPENSSL_REASONS = {
    "KEY_VALUES_MISMATCH": "the key does not belong to the certificate",
    "CA_MD_TOO_WEAK": "the certificate is signed with a weak digest",
    "EE_KEY_TOO_SMALL": "the key is too short",
}
"""Error message for each OpenSSL error code that needs an explanation."""

PEM_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


@dataclass(frozen=True)
class CertificateMaterial:
    """Certificates and key in PEM format.

    Attributes:
        cert: server certificate with its chain.
        key: private key of the server certificate.
        client_ca: CA certificates that verify client certificates; empty if clients are not verified.
    """

    cert: str
    key: str
    client_ca: str = ""


def make_context(section: TlsSection, material: CertificateMaterial) -> ssl.SSLContext:
    """Build the TLS context of the server.

    Args:
        section: the settings of tls_server_config.
        material: certificates and key, from the settings or from the files that the settings name.

    Raises:
        ValueError: the settings are invalid; the message begins with the key of the section.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.minimum_version = VERSIONS[section.min_version]
    context.maximum_version = VERSIONS[section.max_version]
    if not section.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    _set_ciphers(context, section.cipher_suites)
    _set_curve(context, section.curve_preferences)
    _load_certificate(context, material)
    _load_client_ca(context, section, material)
    return context


def _set_ciphers(context: ssl.SSLContext, names: tuple[str, ...]) -> None:
    if not names:
        return
    try:
        context.set_ciphers(":".join(names))
    except ssl.SSLError as error:
        raise ValueError("cipher_suites: this OpenSSL supports none of them") from error


def _set_curve(context: ssl.SSLContext, name: str) -> None:
    if not name:
        return
    try:
        context.set_ecdh_curve(name)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError("curve_preferences: this OpenSSL does not support the curve") from error


def _load_certificate(context: ssl.SSLContext, material: CertificateMaterial) -> None:
    if "-----BEGIN CERTIFICATE-----" not in material.cert:
        raise ValueError("cert: no certificate in PEM format")
    if "PRIVATE KEY-----" not in material.key:
        raise ValueError("key: no private key in PEM format")
    # OpenSSL loads the first key it finds, even one next to the certificate, and prompts for its passphrase.
    if "ENCRYPTED" in material.cert + material.key:
        raise ValueError("key: keys with a passphrase are not supported")
    with _memory_file(f"{material.cert}\n{material.key}") as path:
        try:
            context.load_cert_chain(path)
        except OSError as error:
            code = getattr(error, "reason", None) or str(error)
            reason = OPENSSL_REASONS.get(code, f"cannot be loaded: {code}")
            raise ValueError(f"cert and key: {reason}") from error


@contextmanager
def _memory_file(text: str) -> Iterator[str]:
    """Provide the path of an in-memory file that contains `text`; the ssl module loads certificates only by path."""
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        yield f"/proc/self/fd/{descriptor}"


def _load_client_ca(context: ssl.SSLContext, section: TlsSection, material: CertificateMaterial) -> None:
    context.verify_mode = VERIFY_MODES[section.client_auth_type]
    if context.verify_mode == ssl.CERT_NONE:
        return
    # Like Go, accept an intermediate CA certificate as the trust anchor.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # Like Go, ignore text between the certificates; Python accepts only ASCII there.
    certificates = "\n".join(PEM_CERTIFICATE.findall(material.client_ca))
    try:
        context.load_verify_locations(cadata=certificates)
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise ValueError("client_ca: no certificate in PEM format") from error


def subject_alt_names(certificate: Mapping[str, Any]) -> set[str]:
    """Return the subject alternative names of a certificate; IP addresses are in canonical form (RFC 5952).

    Args:
        certificate: as returned by `ssl.SSLSocket.getpeercert`.
    """
    names = certificate.get("subjectAltName", ())
    return {_normalise_address(name) if kind == "IP Address" else name for kind, name in names}


def _normalise_address(text: str) -> str:
    """Return an IP address in canonical form (RFC 5952); OpenSSL writes IPv6 uncompressed and in upper case."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return text
