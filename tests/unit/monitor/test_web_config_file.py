"""A web.config.yml means what it means to Prometheus' own servers, or is refused in a sentence."""

import os
from base64 import b64encode
from dataclasses import fields
from pathlib import Path

import pytest
import trustme

from monitor.errors import ConfigError
from monitor.web.basic_auth import Users
from monitor.web.tls import names_of
from monitor.web.web_config.loader import LARGEST, SECTIONS, WatchedFile, load_web_file
from monitor.web.web_config.schema import HEADERS, HttpSection, RateSection, TlsSection

pytestmark = pytest.mark.unit

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
PAIR = "cert_file: server.crt\n  key_file: server.key"
DOCS = (Path(__file__).parents[3] / "docs" / "reference" / "http.md").read_text()


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def directory(tmp_path, authority):
    for name in ("server", "other"):
        made = authority.issue_cert("localhost")
        made.private_key_pem.write_to_path(str(tmp_path / f"{name}.key"))
        made.cert_chain_pems[0].write_to_path(str(tmp_path / f"{name}.crt"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "empty.pem").touch()
    (tmp_path / "locked.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.pem").write_text("x" * (LARGEST + 1))
    (tmp_path / "locked.crt").write_text(
        (tmp_path / "locked.key").read_text() + (tmp_path / "server.crt").read_text()
    )
    return tmp_path


def load(directory, text):
    (directory / "web.config.yml").write_text(text)
    return load_web_file(directory / "web.config.yml")


def problems(directory, text):
    with pytest.raises(ConfigError) as caught:
        load(directory, text)
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_an_empty_file_changes_nothing(directory):
    for text in ("", "---\n", "tls_server_config:\nbasic_auth_users:\n", "http_server_config: {http2: false}"):
        found = load(directory, text)
        assert (found.context, found.users, found.headers, found.rate.interval) == (None, {}, (), 0.0)


def test_everything_that_can_be_honoured_is_taken(directory):
    found = load(
        directory,
        f"""
tls_server_config:
  {PAIR}
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus.example.org]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256]
http_server_config:
  http2: true
  headers: {{X-Frame-Options: deny, X-XSS-Protection: "0", Strict-Transport-Security:}}
basic_auth_users:
  alice: {HASH}
rate_limit: {{interval: 1m30s, burst: 20}}
""",
    )
    assert found.context is not None
    assert found.allowed_sans == {"prometheus.example.org"}
    assert found.headers == (("X-Frame-Options", "deny"), ("X-XSS-Protection", "0"))
    assert found.users == {"alice": HASH.encode()}
    assert (found.rate.interval, found.rate.burst) == (90.0, 20)
    assert HASH not in repr(found)


def test_certificates_may_stand_in_the_file_itself(directory):
    pems = {key: (directory / name).read_text() for key, name in (("cert", "server.crt"), ("key", "server.key"))}
    pems["client_ca"] = (directory / "ca.pem").read_text()
    lines = [f"  {key}: |\n    " + pem.strip().replace("\n", "\n    ") for key, pem in pems.items()]
    found = load(directory, "\n".join(["tls_server_config:", "  client_auth_type: VerifyClientCertIfGiven", *lines]))
    assert found.context is not None
    assert list(found.files) == [directory / "web.config.yml"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tls_server_confg: {}", "tls_server_confg: unknown key; did you mean 'tls_server_config'?"),
        ("tls_server_config: {cert_fle: x}", "tls_server_config.cert_fle: unknown key; did you mean 'cert_file'?"),
        ("http_server_config: {http3: true}", "http_server_config.http3: unknown key; did you mean 'http2'?"),
        ("tls_server_config: [x]", "tls_server_config: must be a mapping"),
        ("[x]", "must be a mapping with tls_server_config"),
        ("a: [", "not valid YAML: line 1: "),
        ("secret: ]", "not valid YAML: line 1: "),
        ("rate_limit: 2020-99-99", "not valid YAML: a value does not fit its type (ValueError)"),
        ("http_server_config: {http2: !!bool foo}", "not valid YAML: a value does not fit its type (KeyError)"),
        ("a: !!timestamp abc", "not valid YAML: a value does not fit its type (AttributeError)"),
        ("!!map [a, b]", "not valid YAML: line 1: must be a mapping"),
        ("tls_server_config: !!map [[a, b]]", "not valid YAML: line 1: must be a mapping"),
        ("a: \x01", "not valid YAML: it holds characters that YAML does not allow"),
        ("a: &a [x]\nb: *a", "not valid YAML: line 2: aliases are not allowed; write it out"),
        (f"a: {'1:' * 20}1", "not valid YAML: line 1: a number is too long"),
        ('tls_server_config:\n  cert_file: "\\ud800"', "not valid YAML: line 2: 'cert_file' holds NUL or half"),
        ('tls_server_config:\n  cert: "\\ud800"', "not valid YAML: line 2: 'cert' holds NUL or half"),
        ('tls_server_config: {cert: x, key_file: "a\\0b"}', "not valid YAML: line 1: 'key_file' holds NUL or half"),
        *(
            (f"{name}: {slip}", f"{name}: must be a mapping")
            for name in SECTIONS
            for slip in ("false", "[]", "0", '""')
        ),
        *(
            (
                f"tls_server_config: {{cert_file: {name}, key_file: server.key}}",
                f"tls_server_config.cert_file: {path}: cannot be read: {why}",
            )
            for name, path, why in (
                ("pipe", "{}/pipe", "it is not a regular file"),
                ("/dev/zero", "/dev/zero", "it is not a regular file"),
                (".", "{}", "Is a directory"),
            )
        ),
        ("[" * 50_000, "not valid YAML: it is nested too deeply"),
        ("basic_auth_users: {}\nbasic_auth_users: {}", "not valid YAML: line 2: basic_auth_users stands twice"),
        ("!!python/object/apply:os.system [ls]", "not valid YAML"),
        ("tls_server_config: {min_version: TLS13}", "tls_server_config.cert: one of cert_file and cert is needed"),
        ("tls_server_config: {cert: x, cert_file: y}", "tls_server_config.cert: only one of cert_file and cert"),
        (
            "tls_server_config: {cert_file: no.crt, key: x}",
            "tls_server_config.cert_file: {}/no.crt: cannot be read: No",
        ),
        (
            "tls_server_config: {cert_file: large.pem, key: x}",
            "tls_server_config.cert_file: {}/large.pem: cannot be read: it is larger than 128 KiB",
        ),
        (
            "tls_server_config: {cert_file: empty.pem, key_file: server.key}",
            "tls_server_config.cert: no certificate in PEM format",
        ),
        (
            "tls_server_config: {cert_file: server.crt, key_file: other.key}",
            "tls_server_config.cert and key: the key does not belong to the certificate",
        ),
        (
            "tls_server_config: {cert_file: server.crt, key_file: locked.key}",
            "tls_server_config.key: it has a passphrase",
        ),
        (
            "tls_server_config: {cert_file: locked.crt, key_file: server.key}",
            "tls_server_config.key: it has a passphrase",
        ),
        (
            "tls_server_config: {cert_file: server.crt, key_file: server.crt}",
            "tls_server_config.key: no private key in PEM format",
        ),
        (
            f"tls_server_config:\n  {PAIR}\n  client_auth_type: RequireAndVerifyClientCert",
            "tls_server_config.client_auth_type: RequireAndVerifyClientCert needs client_ca_file or client_ca",
        ),
        (
            f"tls_server_config:\n  {PAIR}\n  client_ca_file: ca.pem",
            "tls_server_config.client_ca: is there to verify clients, and client_auth_type is NoClientCert",
        ),
        (
            f"tls_server_config:\n  {PAIR}\n  client_ca: x\n  client_auth_type: VerifyClientCertIfGiven",
            "tls_server_config.client_ca: no certificate in PEM format",
        ),
        (
            f"tls_server_config:\n  {PAIR}\n  client_allowed_sans: [x]",
            "tls_server_config.client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert",
        ),
        (
            "tls_server_config: {client_auth_type: RequireAnyClientCert}",
            "tls_server_config.client_auth_type: RequireAnyClientCert cannot be honoured here",
        ),
        ("tls_server_config: {client_auth_type: Sure}", "tls_server_config.client_auth_type: 'Sure' is not one of"),
        ("tls_server_config: {min_version: TLS10}", "tls_server_config.min_version: TLS10 cannot be honoured here"),
        ("tls_server_config: {min_version: TLS14}", "tls_server_config.min_version: 'TLS14' is not one of"),
        (
            f"tls_server_config:\n  {PAIR}\n  min_version: TLS13\n  max_version: TLS12",
            "tls_server_config.min_version: TLS13 is above max_version",
        ),
        ("tls_server_config: {cipher_suites: [RC4]}", "tls_server_config.cipher_suites: unknown cipher suite 'RC4'"),
        (
            "tls_server_config: {curve_preferences: [X25519, CurveP256]}",
            "tls_server_config.curve_preferences: cannot be honoured here",
        ),
        (
            "tls_server_config: {curve_preferences: [P256]}",
            "tls_server_config.curve_preferences: unknown curve 'P256'",
        ),
        (
            "http_server_config: {headers: {X-Frame-Option: deny}}",
            "http_server_config.headers: 'X-Frame-Option' cannot be set; did you mean 'X-Frame-Options'?",
        ),
        (
            "http_server_config: {headers: {X-Frame-Options: never}}",
            "http_server_config.headers: X-Frame-Options must be one of deny, sameorigin",
        ),
        (
            'http_server_config: {headers: {Content-Security-Policy: "a\\r\\nb: c"}}',
            "http_server_config.headers: Content-Security-Policy must be a line of printable ASCII",
        ),
        ("basic_auth_users: [alice]", "basic_auth_users: must be a mapping of user to bcrypt hash"),
        (
            "basic_auth_users: {alice: secret}",
            "basic_auth_users: 'alice': not a bcrypt hash; make one with: htpasswd",
        ),
        *(
            (f"basic_auth_users: {{alice: {wrong}}}", "basic_auth_users: 'alice': not a bcrypt hash")
            for wrong in (HASH.replace(".zou", ".zov"), HASH.replace("$10$", "$\u0661\u0660$"), HASH[:-1] + "H")
        ),
        (f"basic_auth_users: {{7: {HASH}}}", "basic_auth_users: 7: a user name is a string"),
        (f'basic_auth_users: {{"a:b": {HASH}}}', "basic_auth_users: 'a:b': a user name is a string without a colon"),
        (
            f"basic_auth_users: {{alice: {HASH.replace('$10$', '$31$')}}}",
            "basic_auth_users: 'alice': a bcrypt cost of 31 is not between 4 and 15",
        ),
        ("rate_limit: {interval: 5, burst: 1}", "rate_limit.interval: must be a duration"),
        ("rate_limit: {interval: 1s, burst: -1}", "rate_limit.burst: must be a whole number"),
        ("rate_limit: {interval: 1s}", "rate_limit.burst: 0 would refuse every request"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_key(directory, text, words):
    found = problems(directory, text)
    wanted = f"{directory}/web.config.yml: {words.replace('{}', str(directory))}"
    assert [problem for problem in found if problem.startswith(wanted)], found
    assert all("secret" not in problem for problem in found)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=rf"{tmp_path}/web.yml: cannot be read: No such file"):
        load_web_file(tmp_path / "web.yml")


def test_all_problems_are_told_at_once(directory):
    found = problems(directory, "x: 1\nbasic_auth_users: {a: b, c: d}\nrate_limit: {burst: x}\n")
    assert len(found) == 4


def test_names_of_a_client_are_compared_as_people_write_them():
    names = (
        ("DNS", "prometheus.example.org"),
        ("email", "sre@example.org"),
        ("URI", "spiffe://example.org/prometheus"),
        ("IP Address", "2001:DB8:0:0:0:0:0:1"),
        ("IP Address", "192.0.2.1"),
        ("DirName", ((("commonName", "x"),),)),
    )
    assert names_of({"subjectAltName": names}) >= {
        "prometheus.example.org",
        "sre@example.org",
        "spiffe://example.org/prometheus",
        "2001:db8::1",
        "192.0.2.1",
    }
    assert names_of({}) == set()


def test_a_broken_version_is_logged_once_and_the_last_good_one_stays(directory, caplog):
    file = directory / "web.config.yml"
    file.write_text(f"basic_auth_users: {{alice: {HASH}}}\n")
    watched = WatchedFile(file)
    file.write_text("basic_auth_users: {alice: x}\n")
    assert [list(watched.current().users) for _ in range(3)] == [["alice"]] * 3
    assert len(caplog.records) == 1
    file.write_text(f"basic_auth_users: {{bob: {HASH}}}\n")
    assert list(watched.current().users) == ["bob"]


def test_what_a_broken_version_misses_is_waited_for(directory, caplog):
    file = directory / "web.config.yml"
    file.write_text(f"tls_server_config:\n  {PAIR}\n")
    watched = WatchedFile(file)
    caplog.set_level("INFO")
    first = watched.current()
    file.write_text("tls_server_config: {cert_file: next.crt, key_file: next.key}\n")
    for kind in ("crt", "key"):
        assert [watched.current() for _ in range(3)] == [first] * 3
        (directory / f"other.{kind}").rename(directory / f"next.{kind}")
    assert watched.current().context is not first.context
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR", "INFO"]


def test_a_fault_nobody_thought_of_is_logged_once_and_the_last_good_one_stays(directory, caplog, monkeypatch):
    file = directory / "web.config.yml"
    file.write_text(f"basic_auth_users: {{alice: {HASH}}}\n")
    watched = WatchedFile(file)
    monkeypatch.setattr("monitor.web.web_config.loader.read_users", lambda _: {}["unforeseen"])
    file.write_text("basic_auth_users: {}\n")
    assert [list(watched.current().users) for _ in range(3)] == [["alice"]] * 3
    (record,) = caplog.records
    assert record.fields["error"] == f"{file}: cannot be used: KeyError: 'unforeseen'"


def test_text_around_the_certificates_of_an_authority_may_be_in_any_language(directory):
    authority = directory / "ca.pem"
    authority.write_text(f"# Zertifizierungsstelle für Prüfer\n{authority.read_text()}\n§ Ende\n")
    verifies = "client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem"
    found = load(directory, f"tls_server_config:\n  {PAIR}\n  {verifies}\n")
    assert len(found.context.get_ca_certs()) == 1
    authority.write_text(authority.read_text().replace("CERTIFICATE-----\nM", "CERTIFICATE-----\nü"))
    with pytest.raises(ConfigError, match="client_ca: no certificate in PEM format"):
        load_web_file(directory / "web.config.yml")


def hashes_paid(monkeypatch, users, name):
    """What a wrong password of a user makes bcrypt do, in hashes of the lowest cost."""
    costs = []
    monkeypatch.setattr("bcrypt.checkpw", lambda _, hashed: costs.append(int(hashed[4:6])))
    assert Users().verdict("Basic " + b64encode(f"{name}:wrong".encode()).decode(), users) == "refused"
    return sum(2 ** (cost - 4) for cost in costs)


def test_a_wrong_password_costs_the_same_whoever_it_names(monkeypatch):
    users = {f"at{cost:02}": HASH.replace("$10$", f"${cost:02}$").encode() for cost in (4, 5, 9, 10, 12)}
    assert {hashes_paid(monkeypatch, users, name) for name in (*users, "nobody")} == {2**8}


def test_a_hash_that_bcrypt_refuses_is_a_wrong_password_and_logged(caplog):
    stray = HASH.replace("$10$", "$04$").replace(".zou", ".zov").encode()
    header = "Basic " + b64encode(b"alice:secret").decode()
    assert Users().verdict(header, {"alice": stray}) == "refused"
    assert caplog.records[0].message == "password hash rejected"


def test_the_page_on_http_names_every_key():
    keys = [f.name for section in (TlsSection, HttpSection, RateSection) for f in fields(section)]
    missing = [key for key in (*SECTIONS, *keys, *HEADERS) if f"`{key}`" not in DOCS]
    assert missing == []
