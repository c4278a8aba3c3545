"""Loader of config.toml: where it looks, and every problem with its file and key."""

import tomllib
from pathlib import Path

import pytest

from monitor.config.loader import (
    Config,
    default_state_directory,
    find_config,
    load_config,
    read_config,
)
from monitor.config.web_section import WebSection
from monitor.errors import ConfigError

pytestmark = pytest.mark.unit


def problem_paths(text):
    """Return the path of the key of each problem."""
    return [problem.partition(": ")[0] for problem in read_config(tomllib.loads(text))[1]]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[trainig]\n", "trainig"),
        ("[training]\nlayrs = [3]", "training.layrs"),
        ("training = 3", "training"),
        ("[sampling]\ninterval = 5", "sampling.interval"),
        ('[sampling]\nsources = ["cpu", "gpu"]', "sampling.sources"),
        ("[high_load]\nrules = [{ cpu = 0.8 }]", "high_load.rules"),
        ('[high_load]\nhorizons = ["2s"]', "high_load.horizons"),
        ("[warning]\nprecision = 1.5", "warning.precision"),
        ("[training]\nepochs = true", "training.epochs"),
        ('[sampling]\nsources = ["memory"]', "high_load.rules"),
        ('[training]\nhistory = "1h"', "training.history"),
        ('[storage]\nurl = "mysql://x"', "storage.url"),
        ('[storage]\nretention = "1h"', "storage.retention"),
        ('[anomaly]\nmaintenance = ["sun"]', "anomaly.maintenance"),
        ('[web]\nlisten = "10190"', "web.listen"),
        ('[web]\nlisten = "127.0.0.1:99999"', "web.listen"),
        ('[log]\nlevel = "loud"', "log.level"),
    ],
)
def test_read_config_names_the_key_of_a_problem(text, path):
    assert set(problem_paths(text)) == {path}


@pytest.mark.parametrize(("text", "name"), [("[trainig]\n", "training"), ("[training]\nlayrs = [3]", "layers")])
def test_read_config_suggests_the_nearest_name(text, name):
    (problem,) = read_config(tomllib.loads(text))[1]
    assert f"'{name}'" in problem


def test_load_config_reports_all_problems_with_the_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[log]\nlevel = "loud"\n[web]\nlisten = 3\n')
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    assert [problem.split(": ")[:2] for problem in raised.value.problems] == [
        [str(path), "web.listen"],
        [str(path), "log.level"],
    ]


def test_load_config_adds_the_problems_of_further_checks(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[log]\nlevel = "loud"\n[web]\nconfig_file = "web.yml"\n')
    with pytest.raises(ConfigError) as raised:
        load_config(path, (lambda config: [str(config.web_file)],))
    assert raised.value.problems[1:] == (str(tmp_path / "web.yml"),)


@pytest.mark.parametrize("content", [None, b"[web\n", b"\xff\xfe"], ids=["missing", "not TOML", "not UTF-8"])
def test_load_config_names_an_unreadable_file(tmp_path, content):
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    assert [problem.partition(": ")[0] for problem in raised.value.problems] == [str(path)]


def test_load_config_without_a_file_gives_the_defaults():
    assert load_config(None) == Config()


def test_problems_do_not_show_credentials(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[storage]\nurl = "mysql://u:secret@h/db"\n')
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    assert "secret" not in str(raised.value)


def test_find_config_prefers_argument_then_environment_then_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config("a.toml", {"MONITOR_CONFIG": "b.toml"}) == Path("a.toml")
    assert find_config(None, {"MONITOR_CONFIG": "b.toml"}) == Path("b.toml")
    (tmp_path / "config.toml").touch()
    assert find_config(None, {}) == Path("config.toml")


def test_default_state_directory_depends_on_systemd_and_user(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert default_state_directory({"STATE_DIRECTORY": "/var/lib/x:/var/lib/y"}) == Path("/var/lib/x")
    assert default_state_directory({"XDG_STATE_HOME": "/home/u/s"}) == Path("/home/u/s/monitor")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_state_directory({}) == Path("/var/lib/monitor")


def test_web_file_is_relative_to_the_configuration_file():
    web = WebSection(config_file="web.yml")
    assert Config(web=web, path=Path("/etc/monitor/config.toml")).web_file == Path("/etc/monitor/web.yml")
    assert Config(web=web).web_file == Path("web.yml")
    assert Config().web_file is None


def test_load_config_reads_a_file_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b'\xef\xbb\xbf[web]\r\nlisten = "127.0.0.1:20050"\r\n')
    assert load_config(path).web.address == ("127.0.0.1", 20050)
