"""Tests of monitor.web.tls."""

import ssl

import pytest
import trustme

from monitor.web.tls import CertificateMaterial, make_context, subject_alt_names
from monitor.web.web_config.schema import TlsSection

pytestmark = pytest.mark.unit

VERIFY_CLIENTS = TlsSection(client_auth_type="RequireAndVerifyClientCert")


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def material(authority):
    issued = authority.issue_cert("localhost")
    return CertificateMaterial(
        cert=issued.cert_chain_pems[0].bytes().decode(),
        key=issued.private_key_pem.bytes().decode(),
        client_ca=authority.cert_pem.bytes().decode(),
    )


def test_context_allows_the_configured_tls_versions(material):
    context = make_context(TlsSection(min_version="TLS13"), material)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert context.verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize(
    ("client_auth_type", "mode"),
    [
        ("VerifyClientCertIfGiven", ssl.CERT_OPTIONAL),
        ("RequireAndVerifyClientCert", ssl.CERT_REQUIRED),
    ],
)
def test_context_verifies_client_certificates(material, client_auth_type, mode):
    context = make_context(TlsSection(client_auth_type=client_auth_type), material)
    assert context.verify_mode == mode
    assert len(context.get_ca_certs()) == 1


def test_context_names_the_key_of_an_unknown_curve(material):
    make_context(TlsSection(curve_preferences="prime256v1"), material)
    with pytest.raises(ValueError, match=r"^curve_preferences: "):
        make_context(TlsSection(curve_preferences="unknown"), material)


def test_context_ignores_text_around_the_certificates_of_the_authority(material):
    commented = f"# Zertifizierungsstelle für Prüfer\n{material.client_ca}\n§ Ende\n"
    context = make_context(VERIFY_CLIENTS, CertificateMaterial(material.cert, material.key, commented))
    assert len(context.get_ca_certs()) == 1


def test_context_rejects_a_damaged_certificate_of_the_authority(material):
    damaged = material.client_ca.replace("CERTIFICATE-----\nM", "CERTIFICATE-----\nü")
    with pytest.raises(ValueError, match=r"^client_ca: "):
        make_context(VERIFY_CLIENTS, CertificateMaterial(material.cert, material.key, damaged))


def test_subject_alt_names_are_in_the_usual_notation():
    names = (
        ("DNS", "prometheus.example.org"),
        ("email", "sre@example.org"),
        ("URI", "spiffe://example.org/prometheus"),
        ("IP Address", "2001:DB8:0:0:0:0:0:1"),
        ("IP Address", "192.0.2.1"),
    )
    assert subject_alt_names({"subjectAltName": names}) == {
        "prometheus.example.org",
        "sre@example.org",
        "spiffe://example.org/prometheus",
        "2001:db8::1",
        "192.0.2.1",
    }


def test_subject_alt_names_tolerate_names_of_other_types():
    directory_name = ("DirName", ((("commonName", "x"),),))
    names = {"subjectAltName": (("DNS", "prometheus.example.org"), directory_name)}
    assert "prometheus.example.org" in subject_alt_names(names)


def test_subject_alt_names_are_empty_without_the_extension():
    assert subject_alt_names({}) == set()
