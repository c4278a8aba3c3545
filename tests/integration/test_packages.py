"""Wheel and sdist work without the checkout."""

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import tomllib
import urllib.request
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from .installing import ROOT, built, copied, environment, foreign_packages, ignored_names, install, outside

pytestmark = pytest.mark.integration

PACKAGES = {"monitor": "monitor", "model": "monitor/_lib/model", "storage": "monitor/_lib/storage"}
"""Directories of the checkout and their places in a wheel."""

ASSETS = {
    "deploy/man/monitor.1",
    *(
        f"deploy/{name}"
        for name in (
            "monitor.service",
            "monitor-fleet.service",
            "monitor-processes.socket",
            "monitor-processes@.service",
        )
    ),
    *(f"deploy/prometheus/{name}.yml" for name in ("alerts", "prometheus", "recording", "scrape")),
    *(f"deploy/grafana/dashboards/{name}.json" for name in ("daemon", "fleet", "host", "quality", "training")),
    *(path.relative_to(ROOT).as_posix() for path in (ROOT / "deploy" / "mixin").rglob("*") if path.is_file()),
    "deploy/grafana/provisioning/dashboards/monitor.yml",
    "deploy/grafana/provisioning/datasources/monitor.yml",
}
"""Files for operators that a wheel carries."""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

CONFIG = """
[sampling]
interval = "1s"
[storage]
url = "sqlite:///{directory}/state/monitor.db"
[web]
listen = "127.0.0.1:0"
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return copied(tmp_path_factory.mktemp("source") / "monitor")


@pytest.fixture(scope="module")
def published(source, tmp_path_factory):
    """Build the sdist, and the wheel from it."""
    wheel, sdist = sorted(built(source, tmp_path_factory.mktemp("dist")), key=lambda path: path.suffix, reverse=True)
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(published, tmp_path_factory):
    directory = environment(tmp_path_factory.mktemp("venv") / "monitor")
    install(directory, published[1])
    return directory


def contents(wheel):
    """Return the content of every file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def files(directory):
    """Return every file of a package except bytecode."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / directory).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_has_all_files_of_the_packages_and_no_other(published):
    result = {name for name in contents(published[1]) if ".dist-info/" not in name}
    code = {place + path.removeprefix(name) for name, place in PACKAGES.items() for path in files(name)}
    assert result == code | {path.replace("deploy/", "monitor/data/assets/", 1) for path in ASSETS}


def test_wheel_installs_one_top_level_package(published):
    assert {name.partition("/")[0] for name in contents(published[1]) if ".dist-info/" not in name} == {"monitor"}


def test_wheel_from_sdist_equals_wheel_from_checkout(source, published, tmp_path):
    (direct,) = built(source, tmp_path, "--wheel")
    assert contents(direct) == contents(published[1])


def test_sdist_has_files_of_packagers_and_operators(published):
    with tarfile.open(published[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {"LICENSE", "README.md", "CHANGELOG.md", "config.toml", "requirements-dev.lock"}
    shipped = {path for part in ("deploy", "docs", "tests", "scripts") for path in files(part)}
    ignored = {path for path in shipped if ignored_names("", Path(path).parts)}
    assert shipped - ignored - names == set()


def test_wheel_metadata_matches_pyproject(published):
    (text,) = (data for name, data in contents(published[1]).items() if name.endswith(".dist-info/METADATA"))
    result = Parser().parsestr(text.decode())
    assert (result["Name"], result["Version"]) == (PROJECT["name"], PROJECT["version"])
    assert result["Requires-Python"] == PROJECT["requires-python"]
    assert (result["License-Expression"], result["License-File"]) == ("Apache-2.0", "LICENSE")
    assert result["Description-Content-Type"] == "text/markdown"
    assert result.get_payload() == (ROOT / "README.md").read_text()


def test_version_is_defined_once():
    written = [
        path.name
        for path in (ROOT / "pyproject.toml", *(ROOT / name for package in PACKAGES for name in files(package)))
        if path.suffix in (".py", ".toml") and re.search(rf'version\w* = "{PROJECT["version"]}"', path.read_text())
    ]
    assert written == ["pyproject.toml"]


def test_wheel_runs_daemon_and_commands(installed, tmp_path):
    config, log = tmp_path / "config.toml", tmp_path / "log"
    config.write_text(CONFIG.format(directory=tmp_path))

    def monitor(*words):
        command = [installed / "bin/monitor", "--config", config, *words]
        done = subprocess.run(
            command, env=outside(installed), cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert monitor("--version") == f"monitor {PROJECT['version']}\n"
    assert 'interval = "1s"' in monitor("check-config")
    assert str(installed / "bin/monitor") in monitor("install-service", "--print")
    command = [installed / "bin/monitor", "--config", config, "run"]
    with log.open("wb") as stderr:
        daemon = subprocess.Popen(command, env=outside(installed), cwd=tmp_path, stderr=stderr)
    try:
        page = scraped(daemon, log)
        assert re.search(rf'^monitor_build_info{{.*version="{PROJECT["version"]}".*}} 1', page, re.MULTILINE)
        assert "\nmonitor_model_ready 1" in page
        status = json.loads(monitor("status", "--json"))
        assert (status["sampling"], status["daemon_running"]) == (True, True)
    finally:
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(20) == 0, log.read_text()


def test_wheel_writes_its_assets(installed, tmp_path):
    command = [installed / "bin/monitor", "assets", "--to", tmp_path / "assets", "--json"]
    done = subprocess.run(command, env=outside(installed), cwd=tmp_path, capture_output=True, text=True, check=True)
    written = {Path(name).relative_to(tmp_path / "assets").as_posix() for name in json.loads(done.stdout)["files"]}
    completions = {f"completion/monitor.{shell}" for shell in ("bash", "zsh", "fish")}
    assert written == {path.removeprefix("deploy/") for path in ASSETS} | completions
    for path in ASSETS:
        assert (tmp_path / "assets" / path.removeprefix("deploy/")).read_bytes() == (ROOT / path).read_bytes()


@pytest.fixture(scope="module")
def crowded(published, tmp_path_factory):
    """Install next to other distributions with packages `model` and `storage`."""
    directory = environment(tmp_path_factory.mktemp("crowded") / "monitor")
    install(directory, published[1])
    foreign_packages(next(directory.glob("lib/python3*/site-packages")))
    return directory


STARTS = {"script": ["bin/monitor"], "module": ["bin/python", "-m", "monitor"]}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_wheel_ignores_packages_of_other_distributions(crowded, tmp_path, start):
    assert_runs_own_code([crowded / start[0], *start[1:]], tmp_path, outside(crowded))


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_wheel_ignores_packages_in_working_directory(installed, tmp_path, start):
    foreign_packages(tmp_path)
    assert_runs_own_code([installed / start[0], *start[1:]], tmp_path, outside(installed))


def test_checkout_ignores_packages_in_working_directory(tmp_path):
    foreign_packages(tmp_path)
    assert_runs_own_code([sys.executable, "-m", "monitor"], tmp_path, dict(os.environ))


def assert_runs_own_code(command, directory, variables):
    """Create a database (a migration in a process of its own), read it, and attempt a training."""
    config = directory / "config.toml"
    config.write_text(CONFIG.format(directory=directory))
    trace = directory / "trace.csv"
    trace.write_text("timestamp,cpu_usage\n1760000000,0.5\n1760000005,0.5\n")
    for words, codes in ((("import", trace), {0}), (("status",), {0, 3}), (("retrain",), {4})):
        done = subprocess.run(
            [*command, "--config", config, *words],
            env=variables,
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in codes, (words, done.returncode, done.stderr)
        assert "foreign" not in done.stderr


def scraped(daemon, log):
    """Return the metrics page once it has a prediction; its address is in the log."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert daemon.poll() is None, log.read_text()
        listens = re.search(r" started .*listen=(\S+)", log.read_text())
        if listens:
            with urllib.request.urlopen(f"http://{listens[1]}/metrics", timeout=10) as answer:
                page = answer.read().decode()
            if "monitor_high_load_probability{" in page:
                return page
        time.sleep(0.1)
    pytest.fail(f"no prediction within 30 s: {log.read_text()}")
