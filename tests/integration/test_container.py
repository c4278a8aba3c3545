"""Container image: lint of the Containerfile, and the daemon on the procfs and sysfs of another host.

The build itself needs a container engine and a registry: deploy/container/build.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from monitor.cli.commands.shell.assets import PATTERNS
from monitor.config.loader import load_config
from monitor.sampling.sources import procfs

from .deploy_tools import deploy_tool
from .installing import ROOT
from .systemd_box import run

pytestmark = pytest.mark.integration

CONTAINER = ROOT / "deploy/container"
GOLDEN = ROOT / "tests/golden"


def instructions():
    """Return the instructions of the Containerfile as pairs of name and arguments."""
    text = (CONTAINER / "Containerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def arguments(name):
    return [words for instruction, words in instructions() if instruction == name]


def test_containerfile_passes_hadolint():
    run(deploy_tool("hadolint"), CONTAINER / "Containerfile")


def test_base_images_are_pinned_by_a_version():
    images = [words.split()[0] for words in arguments("FROM")]
    assert len(set(images)) == 1
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-slim-\w+", images[0])


def test_image_runs_as_a_user_without_privileges():
    last = [name for name, _ in instructions() if name in ("FROM", "USER")][-1]
    (user,) = arguments("USER")
    assert (last, int(user.partition(":")[0]) > 0) == ("USER", True)


def test_copied_files_exist():
    copies = [shlex.split(words)[:-1] for words in arguments("COPY") if not words.startswith("--from")]
    sources = [source for words in copies for source in words]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert {"model", "monitor", "storage"} <= set(sources)
    assets = [path for pattern in PATTERNS for path in (ROOT / "deploy").glob(pattern)]
    assert [path for path in assets if not any(path.is_relative_to(ROOT / source) for source in sources)] == []


def test_image_settings_match_configuration_and_code():
    config = load_config(CONTAINER / "config.toml")
    host, port = config.web.address
    assert (host, arguments("EXPOSE")) == ("0.0.0.0", [str(port)])
    assert f"http://127.0.0.1:{port}/-/healthy" in arguments("HEALTHCHECK")[0]
    variables = dict(word.split("=", 1) for words in arguments("ENV") for word in shlex.split(words))
    assert {procfs.PROCFS_VARIABLE, procfs.SYSFS_VARIABLE} <= set(variables)
    assert arguments("VOLUME") == [variables["STATE_DIRECTORY"]]
    assert arguments("STOPSIGNAL") == ["SIGTERM"]


@pytest.fixture
def host(tmp_path):
    """Return the environment of a daemon that reads recorded trees, with the interfaces as process 1 sees them."""
    proc = shutil.copytree(GOLDEN / "proc/before", tmp_path / "proc")
    (proc / "1").mkdir()
    (proc / "net").rename(proc / "1/net")
    shutil.copytree(GOLDEN / "sys", tmp_path / "sys")
    return {
        **os.environ,
        procfs.PROCFS_VARIABLE: str(proc),
        procfs.SYSFS_VARIABLE: str(tmp_path / "sys"),
        "STATE_DIRECTORY": str(tmp_path / "state"),
    }


def started(tmp_path, environment):
    config = tmp_path / "config.toml"
    config.write_text('[sampling]\ninterval = "1s"\n[web]\nlisten = "127.0.0.1:0"\n')
    command = [sys.executable, "-m", "monitor", "--config", str(config), "run"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def test_daemon_samples_the_trees_that_the_environment_names(tmp_path, host):
    daemon = started(tmp_path, host)
    try:
        address = next(match[1] for line in daemon.stderr if (match := re.search(r"listen=(\S+)", line)))
        end = time.monotonic() + 30
        while (metrics := scraped(address)).get("host_network_receive_bytes_per_second") is None:
            assert time.monotonic() < end, metrics
            time.sleep(0.1)
    finally:
        daemon.send_signal(signal.SIGTERM)
        _, errors = daemon.communicate(timeout=20)
    assert daemon.returncode == 0, errors
    figures = dict(re.findall(r"^(\w+): +(\d+)", (GOLDEN / "proc/before/meminfo").read_text(), re.MULTILINE))
    used = 1 - int(figures["MemAvailable"]) / int(figures["MemTotal"])
    assert metrics["host_memory_usage_ratio"] == pytest.approx(used, abs=1e-6)
    # The counters of a recorded host stand still.
    assert (metrics["host_network_receive_bytes_per_second"], metrics["host_disk_busy_ratio"]) == (0, 0)


def scraped(address):
    """Return the metrics without labels."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^monitor_(\w+) (\S+)$", text, re.MULTILINE)}


def test_daemon_refuses_a_missing_tree_of_the_host(tmp_path, host):
    daemon = started(tmp_path, {**host, procfs.PROCFS_VARIABLE: str(tmp_path / "absent")})
    _, errors = daemon.communicate(timeout=30)
    assert daemon.returncode == 2
    assert str(tmp_path / "absent/1/net/dev") in errors
    assert "Traceback" not in errors
