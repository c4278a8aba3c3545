"""Tutorial "First warning in ten minutes": its commands, in their order, as a reader runs them."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .installing import ROOT
from .metric_servers import free_port

pytestmark = pytest.mark.integration

BLOCK = re.compile(r"^```(sh|python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = re.compile(r"^Save this as `([^`]+)`", re.MULTILINE)


class Reader:
    """Reader of the page in an empty directory with the installed program; the ports are free ones."""

    def __init__(self, directory):
        text = (ROOT / "docs/tutorial/first-warning.md").read_text().replace("8080", str(free_port()))
        blocks = BLOCK.findall(text)
        self.install, *self.commands = [block.strip() for kind, block in blocks if kind == "sh"]
        contents = [block for kind, block in blocks if kind != "sh"]
        for name, content in zip(FILES.findall(text), contents, strict=True):
            (directory / name).write_text(content)
        (directory / ".venv/bin").mkdir(parents=True)
        (directory / ".venv/bin/monitor").symlink_to(Path(sys.executable).with_name("monitor"))
        self.directory = directory
        self.started = []

    def start(self, command):
        """Start a command of the page; its output goes to a file, whose path is returned with the process."""
        output = self.directory / f"output{len(self.started)}"
        environment = {**os.environ, "STATE_DIRECTORY": str(self.directory), "PYTHONUNBUFFERED": "1"}
        with output.open("wb") as file:
            process = subprocess.Popen(
                command.split(), cwd=self.directory, env=environment, stdout=file, stderr=subprocess.STDOUT
            )
        self.started.append(process)
        return process, output

    def finish(self, command):
        """Run a command of the page to its end; return its output."""
        process, output = self.start(command)
        assert process.wait(60) == 0, output.read_text()
        return output.read_text()


@pytest.fixture
def reader(tmp_path):
    reader = Reader(tmp_path)
    yield reader
    for process in reader.started:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_for(process, output, text):
    end = time.monotonic() + 120
    while text not in output.read_text():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < end, output.read_text()
        time.sleep(0.1)


def test_commands_lead_to_a_warning_and_a_connected_machine(reader):
    receive, demo, report, notify, run = reader.commands
    assert reader.install == "scripts/venv"
    receiver = reader.start(receive)
    replay = reader.start(f"{demo} --listen 127.0.0.1:0 --speed 600")
    wait_for(*receiver, "High load expected")
    wait_for(*replay, "anomaly: ")
    replay[0].send_signal(signal.SIGINT)
    assert replay[0].wait(20) == 0, replay[1].read_text()
    assert "lead time" in reader.finish(report)
    reader.finish(notify)
    wait_for(*receiver, "Test notification")
    config = reader.directory / "monitor.toml"
    config.write_text(f'{config.read_text()}[web]\nlisten = "127.0.0.1:0"\n')
    daemon = reader.start(run)
    wait_for(*daemon, "model activated")
    daemon[0].terminate()
    assert daemon[0].wait(20) == 0
