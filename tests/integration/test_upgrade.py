"""Upgrade of an older release under a real systemd, without loss but for a few seconds.

The tests follow each other on one machine in a box, in the order of this file.
"""

import sqlite3
import time

import pytest

from storage.migrations.runner import HEAD

from .installing import ROOT, built, copied, environment, install
from .systemd_box import UNIT, Box, Machine, need_systemd, seen

pytestmark = pytest.mark.integration

OLDER, NEWER = "0.0.1", "99.0.0"
OLDEST_SCHEMA = ROOT / "tests" / "schemas" / "0001.sql"
DATABASE = "var/lib/private/monitor/monitor.db"
CONFIG = '[sampling]\ninterval = "1s"\n'


class Releases:
    """Wheels of an older and a newer release, with a virtual environment for them."""

    def __init__(self, directory):
        self.environment = environment(directory / "environment")
        self._wheels = {}
        for version in (OLDER, NEWER):
            source = copied(directory / version, version)
            if version == OLDER:
                # Its unit is another, so that the newer one has something to renew.
                unit = source / "monitor" / "data" / UNIT
                unit.write_text(unit.read_text().replace("TimeoutStopSec=30", "TimeoutStopSec=29"))
            (directory / f"dist-{version}").mkdir()
            (self._wheels[version],) = built(source, directory / f"dist-{version}", "--wheel")

    def install(self, version):
        install(self.environment, self._wheels[version])


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    need_systemd()
    return Releases(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="module")
def machine(releases, tmp_path_factory):
    with Box(tmp_path_factory.mktemp("box"), seen(releases.environment)) as box:
        yield Machine(box, [releases.environment / "bin/monitor"])


def samples(machine):
    """Return the times of all exported samples."""
    return [float(line.split(",")[0]) for line in machine.monitor("export").stdout.splitlines()[1:]]


def samples_after(machine, at):
    return machine.wait_for(lambda: [entry for entry in samples(machine) if entry > at], 10, "sample")


def running(machine):
    """Return the releases named by the metrics page."""
    page = machine.get("/metrics")
    return [version for version in (OLDER, NEWER) if f'version="{version}"' in page]


def test_older_release_runs_as_service(machine, releases):
    releases.install(OLDER)
    machine.box("mkdir", "--parents", "/etc/monitor")
    machine.box("tee", "/etc/monitor/config.toml", input=CONFIG)
    machine.monitor("install-service")
    machine.systemctl("enable", "--now", UNIT)
    assert running(machine) == [OLDER]
    assert machine.show("TimeoutStopUSec") == "29s"


def test_newer_release_updates_unit_and_continues_history(machine, releases):
    samples_after(machine, time.time())
    releases.install(NEWER)
    assert "replaced" in machine.monitor("install-service").stdout
    before = samples(machine)
    restarted = time.time()
    machine.systemctl("restart", UNIT)
    # The command has waited for READY=1.
    assert running(machine) == [NEWER]
    assert machine.show("TimeoutStopUSec") == "30s"
    after = samples_after(machine, restarted)
    known = samples(machine)
    assert known[: len(before)] == before
    samples_after(machine, after[-1])
    assert (machine.box.root / "etc/monitor/config.toml").read_text() == CONFIG


def test_database_of_first_schema_is_upgraded_without_loss(machine):
    machine.systemctl("stop", UNIT)
    path = machine.box.root / DATABASE
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    stopped = round(time.time(), 3)
    with sqlite3.connect(path) as old:
        old.executescript(OLDEST_SCHEMA.read_text())
        old.execute("INSERT INTO samples (host_id, at, cpu_usage) VALUES (1, ?, 0.75)", [stopped])
        known = [at for (at,) in old.execute("SELECT at FROM samples ORDER BY at")]
    old.close()
    machine.box("chown", f"--reference=/{path.parent.relative_to(machine.box.root)}", f"/{DATABASE}")
    machine.systemctl("start", UNIT)
    assert machine.get("/-/ready").startswith("sampling; ")
    new = samples_after(machine, stopped)
    assert samples(machine)[: len(known)] == known
    samples_after(machine, new[-1])
    # Its two models are of a format that this release does not read: they stay, and the prior serves.
    assert machine.metric('monitor_retrain_runs_total{outcome="promoted"}') == 1
    model = machine.status()["model"]
    assert (model["id"], model["pretrained"]) == (3, True)
    with sqlite3.connect(path) as now:
        assert now.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
    now.close()
