"""Service under a real systemd, from installation to removal.

The tests follow each other on one machine in a box, in the order of this file.
"""

import json
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from monitor.system.service.unit import running_program

from .conftest import host
from .systemd_box import UNIT, Box, Machine, need_systemd, run, seen
from .web_clients import Certificates

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]

CONFIG = """
[sampling]
interval = "1s"
[high_load]
rules = [{ cpu_usage = 0.8 }]
sustained = "20s"
horizons = ["1m", "5m"]
[training]
networks = 2
layers = [16]
epochs = 4
min_history = "20m"
"""

SLOW_SOURCE = """
import os, time

usual = os.pread

def hang(*args, **kwargs):
    while os.path.exists("/var/lib/hang/now"):
        time.sleep(0.1)
    return usual(*args, **kwargs)

os.pread = hang
"""


TOP_PROCESSES = """
import json
from monitor.sampling.processes.process_service import read_processes
top = read_processes(command_lines=False)
print(json.dumps([[p.name for p in top.processes], top.visited, top.io_hidden]))
""".strip()


def test_unit_passes_systemd_analyze_with_promised_exposure(tmp_path):
    if shutil.which("systemd-analyze") is None:
        need_systemd()
    shown = run("systemd-analyze", "security", "--offline=true", "--threshold=10", ROOT / "deploy" / UNIT)
    assert re.search(r"exposure level for monitor.service: (0\.\d|1\.0) OK", shown.stdout)
    unit = tmp_path / UNIT
    unit.write_text(run(sys.executable, "-m", "monitor", "install-service", "--print").stdout)
    # A program in a home directory needs ProtectHome=tmpfs, which costs a tenth.
    threshold = 11 if "ProtectHome=tmpfs" in unit.read_text() else 10
    assert run("systemd-analyze", "security", "--offline=true", f"--threshold={threshold}", unit).returncode == 0
    assert run("systemd-analyze", "verify", unit).stderr == ""


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    need_systemd()
    with Box(tmp_path_factory.mktemp("box"), seen()) as box:
        yield Machine(box, running_program().command)


def test_install_service_prints_next_steps(machine):
    done = machine.monitor("install-service")
    assert "systemctl enable --now monitor.service" in done.stdout
    assert machine.show("LoadState") == "loaded"
    machine.box("tee", "/etc/monitor/config.toml", input=CONFIG)


def test_service_continues_history_sampled_by_root(machine):
    ran = machine.box("timeout", "--signal=INT", "4", *machine.box_monitor, "run", check=False, cwd="/")
    assert "daemon started" in ran.stderr
    assert machine.status()["daemon_running"] is False
    before = machine.status()["oldest_sample_at"]
    machine.systemctl("enable", "--now", UNIT)
    assert machine.show("ActiveState") == "active"
    assert machine.status()["oldest_sample_at"] == before


def test_service_is_ready_after_first_sample_and_response(machine):
    machine.systemctl("restart", UNIT)
    # The command has waited for READY=1.
    assert machine.get("/-/ready").startswith("sampling; ")
    assert machine.status()["sampling"] is True
    assert machine.metric("monitor_samples_total") >= 1
    assert machine.show("StatusText").startswith("sampling; ")


def test_doctor_passes_on_installed_service(machine):
    done = machine.monitor("doctor", "--json", check=False)
    checks = {result["check"]: result for result in json.loads(done.stdout)["checks"]}
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for name in (
        "state_directory", "file_owners", "config_permissions", "daemon", "newest_sample", "database", "write_lock",
        "port",
    ):  # fmt: skip
        assert checks[name]["status"] == "ok", checks[name]


def test_sources_succeed_inside_sandbox(machine):
    machine.wait_for(lambda: machine.metric("monitor_host_cpu_usage_ratio") is not None, 10, "rate")
    page = machine.get("/metrics")
    sources = re.findall(r'^monitor_source_success\{source="(\w+)"\} (\S+)$', page, re.MULTILINE)
    assert len(sources) == 7
    target = {name for name, worked in sources if float(worked) == 1}
    # A kernel may have no pressure figures, a container no interface; all else is there, or the sandbox hides it.
    assert target >= {"cpu", "memory", "disk", "load", "swap"}
    assert ("network" in target) == (machine.box("ls", "/sys/class/net").stdout.split() != ["lo"])
    assert ("pressure" in target) == Path("/proc/pressure/cpu").exists()


def test_sandbox_shows_processes_of_other_users_without_their_io(machine):
    unit = machine.box("cat", f"/etc/systemd/system/{UNIT}").stdout
    sandbox = unit.partition("# Sandbox:")[2].partition("[Install]")[0].partition("\n")[2]
    code = TOP_PROCESSES.replace("\n", "; ")
    service = f'[Service]\nType=oneshot\nExecStart={sys.executable} -P -c "{code}"\nDynamicUser=yes\n{sandbox}'
    machine.box("tee", "/run/systemd/system/top.service", input=service)
    machine.systemctl("daemon-reload")
    machine.systemctl("start", "top.service")
    shown = machine.box("journalctl", "--no-pager", "--output=cat", "--unit", "top.service").stdout
    names, visited, io_hidden = json.loads(next(line for line in shown.splitlines() if line.startswith("[[")))
    # The companion lists them; it sees the I/O of its own process only.
    assert {"systemd", "systemd-journal"} & set(names)
    assert 1 < io_hidden < visited
    journal = machine.box("journalctl", "--no-pager", "--output=cat", "--unit", "monitor-processes@*").stdout
    assert "Started" in journal, journal
    # Other users do not reach the socket.
    refused = machine.box("setpriv", "--reuid=65534", "ls", "/run/monitor-processes", check=False)
    assert "Permission denied" in refused.stderr


def test_service_retrains_inside_sandbox_on_imported_samples(machine, tmp_path):
    rows = ["timestamp,cpu_usage,memory_usage"]
    rows += [f"{s.at},{s.cpu_usage},{s.memory_usage}" for s in host(2000, time.time() - 60)]
    machine.box("tee", "/root/trace.csv", input="\n".join(rows) + "\n")
    assert "2000 samples added" in machine.monitor("import", "/root/trace.csv").stdout

    def trainer():
        shown = machine.box("ps", "-ww", "-eo", "ni,args").stdout
        return re.search(r"^ *(\d+) .* -m monitor .*retrain$", shown, re.MULTILINE)

    machine.wait_for(trainer, 60, "trainer")
    # It lowers its own priority, which the sandbox must allow.
    machine.wait_for(lambda: (output := trainer()) and output.group(1) == "19", 10, "trainer at nice 19")
    machine.wait_for(lambda: machine.status()["last_training"], 60, "training")
    assert machine.status()["last_training"]["outcome"] in ("promoted", "refused"), machine.journal()


def test_service_serves_model_retrained_by_root(machine):
    machine.wait_for(lambda: machine.metric("monitor_storage_available") == 1, 10, "database")
    done = machine.monitor("retrain", "--force")
    assert "promoted" in done.stdout
    new = machine.status()["model"]["id"]
    served = re.compile(rf'^monitor_model_info{{.*model_id="{new}"', re.MULTILINE)
    machine.wait_for(lambda: served.search(machine.get("/metrics")), 10, "new model")
    owners = set(machine.box("stat", "--format=%U %a", *files(machine)).stdout.splitlines())
    assert owners == {"monitor 600"}
    # A write may have waited too long for the import of a busy machine; nothing is lost then.
    machine.wait_for(lambda: machine.metric("monitor_storage_available") == 1, 10, "database")
    assert machine.metric("monitor_samples_dropped_total") == 0, machine.journal()


def files(machine):
    return machine.box("find", "/var/lib/private/monitor", "-type", "f").stdout.split()


def test_reload_applies_valid_and_rejects_invalid_configuration(machine):
    pid = machine.show("MainPID")
    machine.box("tee", "/etc/monitor/config.toml", input=CONFIG.replace('"5m"]', '"10m"]'))
    machine.systemctl("reload", UNIT)
    machine.wait_for(lambda: "configuration reloaded" in machine.journal(), 10, "reload")
    machine.wait_for(lambda: machine.metric("monitor_last_sample_timestamp_seconds"), 10, "sample")
    assert machine.metric("monitor_config_last_reload_successful") == 1

    machine.box("tee", "/etc/monitor/config.toml", input=CONFIG.replace("networks", "netwroks"))
    machine.systemctl("reload", UNIT)
    machine.wait_for(lambda: machine.metric("monitor_config_last_reload_successful") == 0, 10, "refusal")
    assert "training.netwroks" in machine.journal()
    machine.wait_for(lambda: machine.show("ActiveState") == "active", 10, "end of the reload")
    assert machine.show("MainPID") == pid
    machine.box("tee", "/etc/monitor/config.toml", input=CONFIG)


def test_journal_has_each_event_once_with_priority(machine):
    shown = machine.box("journalctl", "--no-pager", "--output=json", "--unit", UNIT).stdout
    lines = [json.loads(line) for line in shown.splitlines()]
    priorities = {line["MESSAGE"].partition(" error=")[0]: line["PRIORITY"] for line in lines}
    assert priorities["ERROR monitor.daemon.daemon: configuration reload failed"] == "3"
    assert priorities["INFO monitor.daemon.daemon: configuration reloaded file=/etc/monitor/config.toml"] == "6"


def test_service_restarts_after_kill_without_loss(machine):
    before, pid = machine.status(), machine.show("MainPID")
    machine.systemctl("kill", "--kill-whom=main", "--signal=KILL", UNIT)
    machine.wait_for(lambda: machine.restarted(pid), 30, "restart")
    after = machine.status()
    assert after["sampling"] is True
    assert after["oldest_sample_at"] == before["oldest_sample_at"]


@pytest.mark.parametrize("how", ["stopped", "sampler"])
def test_watchdog_ends_hanging_daemon_with_stack_in_journal(machine, how):
    drop_in = "/etc/systemd/system/monitor.service.d/test.conf"
    # The daemon itself makes it 10 s at least.
    extra = "[Service]\nWatchdogSec=15\n"
    if how == "sampler":
        # A source that answers no more as soon as a file is there.
        hook = "/var/lib/hang/sitecustomize.py"
        machine.box("mkdir", "--parents", "/var/lib/hang")
        machine.box("tee", hook, input=SLOW_SOURCE)
        extra += "Environment=PYTHONPATH=/var/lib/hang\n"
    machine.box("mkdir", "--parents", Path(drop_in).parent)
    machine.box("tee", drop_in, input=extra)
    machine.systemctl("daemon-reload")
    machine.systemctl("restart", UNIT)
    pid = machine.show("MainPID")
    if how == "stopped":
        machine.systemctl("kill", "--kill-whom=main", "--signal=STOP", UNIT)
    else:
        machine.box("touch", "/var/lib/hang/now")
        machine.wait_for(lambda: "not sampling" in machine.show("StatusText"), 20, "word of it")
    machine.wait_for(lambda: machine.show("MainPID") != pid, 30, "end by the watchdog")
    machine.box("rm", "--force", "/var/lib/hang/now")
    machine.wait_for(lambda: machine.restarted(pid), 20, "restart")
    journal = machine.journal().rpartition("Watchdog timeout")[2]
    assert "Fatal Python error: Aborted" in journal
    # The main thread may be anywhere, such as in the log of a hung job.
    assert "/monitor/" in journal, journal
    assert (" in hang\n" in journal) == (how == "sampler")


BY_GROUP = "SupplementaryGroups=adm\n"
BY_SYSTEMD = "".join(
    f"LoadCredential={name}:/etc/monitor/tls/{name}\n" for name in ("web.config.yml", "server.crt", "server.key")
)


@pytest.mark.parametrize(
    ("extra", "config_file", "mode"),
    [
        (BY_GROUP, "tls/web.config.yml", "0640"),
        (BY_SYSTEMD, "/run/credentials/monitor.service/web.config.yml", "0600"),
    ],
)
def test_private_key_is_readable_by_group_or_credential(machine, tmp_path, extra, config_file, mode):
    certificates, target = Certificates(tmp_path), Path("/etc/monitor/tls")
    certificates.write()
    machine.box("mkdir", "--parents", target)
    for name in ("web.config.yml", "server.crt", "server.key", "ca.pem"):
        machine.box("tee", target / name, input=(tmp_path / name).read_text())
        machine.box("chmod", mode, target / name)
        machine.box("chgrp", "adm", target / name)
    drop_in = Path("/etc/systemd/system/monitor.service.d/keys.conf")
    machine.box("mkdir", "--parents", drop_in.parent)
    machine.box("tee", drop_in, input=f"[Service]\n{extra}")
    machine.box("tee", "/etc/monitor/config.toml", input=f'{CONFIG}[web]\nconfig_file = "{config_file}"\n')
    machine.systemctl("daemon-reload")
    machine.systemctl("restart", UNIT)
    script = f"import ssl, urllib.request as u; c = ssl.create_default_context(cafile='{target}/ca.pem'); "
    script += "print(u.urlopen('https://127.0.0.1:10190/-/ready', timeout=5, context=c).read().decode())"
    assert machine.box(sys.executable, "-c", script).stdout.startswith("sampling; ")
    machine.box("tee", "/etc/monitor/config.toml", input=CONFIG)
    machine.box("rm", drop_in)
    machine.systemctl("daemon-reload")
    machine.systemctl("restart", UNIT)


def test_service_stops_quickly_and_cleanly(machine):
    machine.systemctl("stop", UNIT)
    assert machine.show("Result") == "success"
    assert machine.show("ExecMainStatus") == "0"
    assert "daemon stopping" in machine.journal()


def test_uninstall_service_removes_only_the_unit(machine):
    machine.systemctl("start", UNIT)
    script = machine.monitor("uninstall-service").stdout
    assert "/etc/monitor/config.toml, /var/lib/monitor" in script
    assert machine.show("LoadState") == "not-found" or machine.show("ActiveState") == "inactive"
    assert not (machine.box.root / "etc/systemd/system" / UNIT).exists()
    assert "/var/lib/private/monitor/monitor.db" in files(machine)
    assert (machine.box.root / "etc/monitor/config.toml").read_text() == CONFIG
