"""Tests of the checks of permissions."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from monitor.config.loader import Config, load_config
from monitor.doctor.checks.permissions import (
    assess_owners,
    check_config_permissions,
    check_key_permissions,
    check_secret_permissions,
    check_write_access,
)
from monitor.documents.doctor import CheckStatus

pytestmark = pytest.mark.unit


def context(**config):
    return SimpleNamespace(config=SimpleNamespace(**config))


def test_owners_name_files_of_other_users():
    assert assess_owners(Path("/x"), 7, {"monitor.db": 7, "monitor.db-wal": 7}).status is CheckStatus.OK
    result = assess_owners(Path("/x"), 7, {"monitor.db": 7, "monitor.db-wal": 0})
    assert (result.status, result.fix) == (CheckStatus.FAILED, "run `chown 7 /x/*`")
    assert "monitor.db-wal" in result.message


@pytest.mark.parametrize(
    ("mode", "status", "fix"), [(0o644, CheckStatus.WARNING, "run `chmod o= {}`"), (0o640, CheckStatus.OK, "")]
)
def test_private_key_readable_for_everyone_is_a_warning(tmp_path, mode, status, fix):
    certificate = trustme.CA().issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(tmp_path / "server.key"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "server.crt"))
    file = tmp_path / "web.yml"
    file.write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
    (tmp_path / "server.key").chmod(mode)
    (result,) = check_key_permissions(context(web_file=file))
    assert (result.status, result.fix) == (status, fix.format(tmp_path / "server.key"))


@pytest.mark.parametrize(
    ("keys", "mode", "statuses"),
    [
        ('url_file = "secret"', 0o640, [CheckStatus.OK]),
        ('url_file = "secret"', 0o644, [CheckStatus.WARNING]),
        ('url_file = "missing"', 0o640, [CheckStatus.WARNING]),
        ('url_env = "URL"', 0o640, [CheckStatus.OK]),
        ('preset = "slack"\nurl = "https://hooks.slack.com/T0KEN"', 0o640, [CheckStatus.WARNING]),
        ('preset = "alertmanager"\nurl = "http://127.0.0.1:9093"', 0o640, [CheckStatus.OK]),
        (
            'kind = "email"\nhost = "h"\nuser = "u"\nsender = "a@b"\nrecipients = ["c@d"]\npassword_file = "secret"',
            0o604,
            [CheckStatus.WARNING],
        ),
    ],
)
def test_secret_readable_for_everyone_is_a_warning(tmp_path, keys, mode, statuses):
    (tmp_path / "secret").write_text("http://127.0.0.1:1/T0KEN")
    (tmp_path / "secret").chmod(mode)
    file = tmp_path / "config.toml"
    file.write_text(f"[notify.channels.ops]\n{keys}\n")
    file.chmod(0o644)
    results = list(check_secret_permissions(SimpleNamespace(config=load_config(file))))
    assert [result.status for result in results] == statuses
    assert "T0KEN" not in str(results)


def test_secret_permissions_are_skipped_without_a_channel():
    (result,) = check_secret_permissions(SimpleNamespace(config=Config()))
    assert result.status is CheckStatus.SKIPPED


@pytest.mark.parametrize(("mode", "status"), [(0o644, CheckStatus.OK), (0o640, CheckStatus.WARNING)])
def test_configuration_must_be_readable_for_the_service(tmp_path, mode, status):
    file = tmp_path / "config.toml"
    file.touch()
    file.chmod(mode)
    (result,) = check_config_permissions(context(path=file))
    assert result.status is status


def test_configuration_permissions_are_skipped_without_a_file():
    (result,) = check_config_permissions(context(path=None))
    assert result.status is CheckStatus.SKIPPED


@pytest.mark.parametrize(
    ("name", "mode", "fix"),
    [
        ("state/monitor.db", 0o666, "chmod o-w"),
        ("state/monitor.db-wal", 0o602, "chmod o-w"),
        ("state", 0o777, "chmod o-w"),
        ("state", 0o1777, ""),
        ("etc/config.toml", 0o646, "chmod o-w"),
        ("etc/web.yml", 0o622, "chmod o-w"),
        ("etc/server.key", 0o602, "chmod o-w"),
        ("etc", 0o703, "chmod o-w"),
        ("etc", 0o755, ""),
    ],
)
def test_write_access_of_every_user_is_a_failure_with_fix(tmp_path, name, mode, fix):
    (tmp_path / "state").mkdir()
    (tmp_path / "etc").mkdir()
    for file in ("state/monitor.db", "state/monitor.db-wal", "etc/config.toml", "etc/server.key"):
        (tmp_path / file).touch(0o600)
    (tmp_path / "etc/web.yml").write_text("tls_server_config: {cert_file: server.key, key_file: server.key}\n")
    (tmp_path / name).chmod(mode)
    installed = context(path=tmp_path / "etc/config.toml", web_file=tmp_path / "etc/web.yml")
    installed.database = tmp_path / "state/monitor.db"
    results = list(check_write_access(installed))
    assert [result.fix for result in results] == [f"run `{fix} {tmp_path / name}`" if fix else ""]
    assert [result.status for result in results] == [CheckStatus.FAILED if fix else CheckStatus.OK]


def test_write_access_of_a_foreign_group_is_a_warning(tmp_path, monkeypatch):
    (tmp_path / "config.toml").touch(0o660)
    monkeypatch.setattr("monitor.doctor.checks.permissions._primary_group", lambda _: -1)
    installed = context(path=tmp_path / "config.toml", web_file=None)
    installed.database = None
    (result,) = check_write_access(installed)
    group = (tmp_path / "config.toml").stat().st_gid
    assert result.status is (CheckStatus.WARNING if group else CheckStatus.OK)
