"""Files of a web.config.yml: certificates, keys, and files that cannot be used."""

import os

import pytest
import trustme

from monitor.system.text_files import MAX_TEXT_BYTES


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def directory(tmp_path, authority):
    for name in ("server", "other"):
        issued = authority.issue_cert("localhost")
        issued.private_key_pem.write_to_path(str(tmp_path / f"{name}.key"))
        issued.cert_chain_pems[0].write_to_path(str(tmp_path / f"{name}.crt"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "empty.pem").touch()
    (tmp_path / "large.pem").write_text("x" * (MAX_TEXT_BYTES + 1))
    (tmp_path / "passphrase.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    key_and_certificate = (tmp_path / "passphrase.key").read_text() + (tmp_path / "server.crt").read_text()
    (tmp_path / "passphrase.crt").write_text(key_and_certificate)
    os.mkfifo(tmp_path / "fifo")
    return tmp_path
