"""Tests of the entry point: signals and descriptors before the imports."""

import signal
import subprocess
import sys

import click
import pytest

from monitor.__main__ import OPTIONS_WITH_VALUE, command_name
from monitor.cli.options import shared_options

pytestmark = pytest.mark.unit

SIGNAL_DURING_IMPORTS = """
import os, runpy, signal, sys

class SendSignals:
    def find_spec(name, path, target=None):
        if name == "click":
            for number in {numbers}:
                os.kill(os.getpid(), number)

sys.meta_path.insert(0, SendSignals)
sys.argv[1:] = {arguments}
runpy.run_module("monitor", run_name="__main__")
"""


def run(arguments, numbers):
    code = SIGNAL_DURING_IMPORTS.format(numbers=[int(number) for number in numbers], arguments=arguments)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_stop_during_the_imports_ends_the_daemon_with_0_before_it_opens_anything(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'[storage]\nurl = "sqlite:///{tmp_path}/monitor.db"\n[web]\nlisten = "127.0.0.1:0"\n')
    completed = run(["--config", str(config), "run"], [signal.SIGHUP, signal.SIGTERM])
    assert (completed.returncode, completed.stdout) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_stop_during_the_imports_ends_other_commands_by_signal():
    assert run(["--version"], [signal.SIGTERM]).returncode == -signal.SIGTERM


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], ""),
        (["--version"], ""),
        (["run"], "run"),
        (["--log-level", "info", "--config=x", "run", "--json"], "run"),
        (["--config", "run", "status"], "status"),
        (["export", "run"], "export"),
    ],
)
def test_command_name_is_the_first_argument_that_belongs_to_no_option(arguments, name):
    assert command_name(arguments) == name


def test_options_with_value_are_the_shared_options():
    options = [option for option in shared_options(hidden=False) if isinstance(option, click.Option)]
    assert {name for option in options for name in option.opts} == set(OPTIONS_WITH_VALUE)


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_descriptors_are_opened_on_the_null_device(closed):
    code = (
        "import os, runpy, sys, monitor.cli.main as main\n"
        "main.main = lambda: sum(os.fstat(n).st_rdev == os.stat(os.devnull).st_rdev for n in (0, 1, 2))\n"
        "runpy.run_module('monitor', run_name='__main__')"
    )
    shell = " ".join(f"{number}<&-" for number in closed)
    command = ["sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, "-c", code]
    pipe = subprocess.PIPE
    completed = subprocess.run(command, stdin=pipe, stdout=pipe, stderr=pipe, timeout=60, check=False)
    assert completed.returncode == len(closed)
