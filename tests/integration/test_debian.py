"""Debian package on a real systemd: build, installation, upgrade, removal and purge.

The tests follow each other on one machine in a box, in the order of this file.
"""

import json
import os
import re
import shutil
import subprocess
from email import message_from_string
from pathlib import Path

import numpy as np
import pytest

from .installing import ROOT, copied, foreign_packages
from .systemd_box import UNIT, Box, Machine, need_systemd, run, seen

pytestmark = pytest.mark.integration

CONFIG = "etc/monitor/config.toml"
STATE = "var/lib/private/monitor"


def need_debian():
    """Skip, or fail in CI, without the tools to build a package."""
    wanted = ("python3-venv", "python3-pip", "init-system-helpers")
    tools = [tool for tool in ("dpkg", "dpkg-deb") if shutil.which(tool) is None]
    lacks = tools or [name for name in wanted if run("dpkg", "--status", name, check=False).returncode]
    if lacks:
        message = f"NOT TESTED: the Debian package needs {', '.join(lacks)}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    need_debian()
    need_systemd()
    directory = tmp_path_factory.mktemp("debian")
    # Compressing takes longer than all the rest.
    environment = {**os.environ, "DPKG_DEB_COMPRESSOR_TYPE": "none", "DEBEMAIL": "monitor@example.org"}
    source = copied(directory / "source")
    run(source / "deploy/debian/build", cwd=directory, env=environment)
    (made,) = directory.glob("*.deb")
    return made


@pytest.fixture(scope="module")
def machine(package, tmp_path_factory):
    with Box(tmp_path_factory.mktemp("box"), seen(package.parent)) as box:
        yield Machine(box, ["/usr/bin/monitor"])


def version(package):
    return run("dpkg-deb", "--field", package, "Version").stdout.strip()


def stanzas():
    """Return the paragraphs of the copyright file as dictionaries."""
    texts = (ROOT / "deploy/debian/copyright").read_text().rstrip("\n").split("\n\n")
    return [dict(message_from_string(text).items()) for text in texts]


def test_copyright_names_the_licence_of_each_bundled_data_file():
    files = {file: stanza for stanza in stanzas() if "Files" in stanza for file in stanza["Files"].split()}
    directories = (ROOT / "model/data", ROOT / "monitor/data/demo")
    data = {
        path.relative_to(ROOT) for directory in directories for path in directory.iterdir() if path.suffix != ".md"
    }
    assert {Path(file) for file in files} == {Path("*"), *data}
    texts = {
        stanza["License"].partition("\n")[0] for stanza in stanzas() if "Files" not in stanza and "License" in stanza
    }
    assert {stanza["License"] for stanza in files.values()} == texts
    assert "2021 NetManAIOps-SMD" in files["monitor/data/demo/trace.csv.gz"]["Copyright"]


def test_copyright_names_each_trace_of_the_pretrained_model():
    (stanza,) = (stanza for stanza in stanzas() if stanza.get("Files") == "model/data/pretrained.npz")
    with np.load(ROOT / "model/data/pretrained.npz", allow_pickle=False) as archive:
        traces = json.loads(archive["header"].tobytes())["provenance"]["traces"]
    assert {name.removesuffix(".csv.gz") for name in traces} == set(
        re.findall(r"machine-[0-9-]+|datacentre-mean", stanza["Comment"])
    )


def test_package_name_and_metadata_match_release(package):
    text = (ROOT / "pyproject.toml").read_text()
    assert version(package) == re.search(r'^version = "(.*)"$', text, re.MULTILINE).group(1)
    arch = run("dpkg", "--print-architecture").stdout.strip()
    assert package.name == f"monitor_{version(package)}_{arch}.deb"
    assert run("dpkg-deb", "--info", package, "conffiles").stdout == f"/{CONFIG}\n"
    listed = run("dpkg-deb", "--contents", package).stdout
    for file in ("man/man1/monitor.1.gz", "bash-completion/completions/monitor", "vendor-completions/_monitor"):
        assert f"./usr/share/{file}" in listed or f"./usr/share/zsh/{file}" in listed, file
    for file in ("mixin/mixin.libsonnet", "prometheus/alerts.yml", "grafana/dashboards/fleet.json"):
        assert f"/monitor/data/assets/{file}\n" in listed, file


def test_package_has_copyright_dashboards_rules_and_docs(package, tmp_path):
    run("dpkg-deb", "--extract", package, tmp_path)
    shared = tmp_path / "usr/share"
    assert (shared / "doc/monitor/copyright").read_bytes() == (ROOT / "deploy/debian/copyright").read_bytes()
    for file in ("prometheus/alerts.yml", "grafana/dashboards/host.json", "mixin/mixin.libsonnet"):
        assert (shared / "monitor" / file).read_bytes() == (ROOT / "deploy" / file).read_bytes()
    pages = {page.relative_to(ROOT) for page in (ROOT / "docs").rglob("*.md")}
    assert pages == {page.relative_to(shared / "doc/monitor") for page in shared.glob("doc/monitor/docs/**/*.md")}


def test_package_has_no_build_paths_or_bytecode(package, tmp_path):
    run("dpkg-deb", "--raw-extract", package, tmp_path / "raw")
    search = ["grep", "--recursive", "--files-with-matches", package.parent, tmp_path / "raw"]
    assert subprocess.run(search, capture_output=True, text=True, check=False).stdout == ""
    assert list((tmp_path / "raw").rglob("__pycache__")) == []


def test_installation_starts_service(machine, package):
    machine.box("dpkg", "--install", package)
    assert machine.show("ActiveState") == "active"
    assert machine.show("UnitFileState") == "enabled"
    assert machine.show("FragmentPath").endswith(f"/lib/systemd/system/{UNIT}")
    assert machine.monitor("--version").stdout == f"monitor {version(package)}\n"
    assert f'version="{version(package)}"' in machine.get("/metrics")
    assert machine.status()["sampling"] is True


def test_installed_command_ignores_packages_in_working_directory(machine):
    directory = foreign_packages(machine.box.root / "srv" / "work")
    inside = f"/{directory.relative_to(machine.box.root)}"
    for command in ("/usr/bin/monitor status", "/usr/lib/monitor/bin/python3 -m monitor status"):
        done = machine.box("sh", "-c", f"cd {inside} && {command}")
        assert "daemon" in done.stdout


def test_upgrade_restarts_service_and_keeps_history_and_configuration(machine, package):
    pid, before = machine.show("MainPID"), machine.status()["oldest_sample_at"]
    changed = '[sampling]\ninterval = "1s"\n'
    machine.box("tee", f"/{CONFIG}", input=changed)
    machine.box("dpkg", "--install", "--force-confold", package)
    assert machine.show("ActiveState") == "active"
    assert machine.show("MainPID") != pid
    assert machine.status()["oldest_sample_at"] == before
    assert (machine.box.root / CONFIG).read_text() == changed


def test_upgrade_with_refused_configuration_keeps_old_service_running(machine, package):
    pid = machine.show("MainPID")
    machine.box("tee", f"/{CONFIG}", input='[sampling]\nintervall = "1s"\n')
    done = machine.box("dpkg", "--install", "--force-confold", package)
    assert "sampling.intervall" in done.stderr
    assert (machine.show("MainPID"), machine.show("ActiveState")) == (pid, "active")


def test_removal_stops_service_and_keeps_history_and_configuration(machine):
    machine.box("dpkg", "--remove", "monitor")
    assert machine.show("ActiveState") == "inactive"
    assert not (machine.box.root / "usr/lib/monitor").exists()
    assert (machine.box.root / STATE / "monitor.db").is_file()
    assert (machine.box.root / CONFIG).is_file()


def test_purge_deletes_all_files(machine):
    machine.box("dpkg", "--purge", "monitor")
    places = (STATE, "var/lib/monitor", "etc/monitor", "usr/bin/monitor", "usr/lib/monitor")
    assert [place for place in places if os.path.lexists(machine.box.root / place)] == []
    assert machine.show("LoadState") == "not-found"
