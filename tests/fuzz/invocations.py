"""Random command lines and environments: commands end with a known exit code and no traceback."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from unittest.mock import patch

from monitor.cli.exit_codes import ExitCode
from monitor.cli.main import main
from monitor.errors import MonitorError

EXCLUDED = frozenset({"run", "demo", "install-service", "uninstall-service"})
"""Commands that start a daemon or change the system."""

COMMANDS = (
    ("status",), ("check-config",), ("predict",), ("report",), ("retrain",), ("backtest",), ("import",), ("export",),
    ("purge",), ("doctor",), ("completion",), ("assets",), ("models", "list"), ("models", "show"),
    ("models", "import"), ("models", "export"), ("models", "activate"), ("models", "rollback"), ("anomalies", "list"),
    ("anomalies", "show"), ("anomalies", "ack"), ("maintenance", "add"), ("maintenance", "list"),
    ("maintenance", "end"), ("help",),
)  # fmt: skip

OPTIONS = (
    "--json", "--since", "--from", "--to", "--at", "--dry-run", "--force", "--replace", "--map", "--percent",
    "--timezone", "--train-until", "--predictions", "--no-retrain", "--as", "--note", "--quiet", "--config",
    "--log-level", "--log-format", "--color", "--help", "--version", "-V", "--", "-",
)  # fmt: skip

WORDS = (
    "", "0", "1", "-1", "99999999999999999999", "1e309", "nan", "inf", "now", "-2h", "7d", "9" * 500 + "d", "1e5d",
    "0001-01-01", "9999-12-31T23:59:59+14:00", "2026-02-30", "UTC", "Europe/Berlin", "../zone", "cpu_usage=x", "x=y",
    "expected", "json", "text", "always", "bash", "missing", "dir/missing", "trace.csv", "config.toml", "\udcff",
    "é\u202e", "a" * 5000, "%s{}\\x1b[31m", "\x1b[31m", "/dev/null", "/dev/full", "/dev/zero",
)  # fmt: skip

VARIABLES = (
    "MONITOR_CONFIG", "XDG_STATE_HOME", "COLUMNS", "TERM", "NO_COLOR", "FORCE_COLOR", "JOURNAL_STREAM", "TZ", "LANG",
    "COMP_WORDS", "COMP_CWORD", "PYTHONIOENCODING",
)  # fmt: skip

STATE_NAMES = ("state", "a?b=c", "a#b", "a%20b", "ä b", "\udcff", "x" * 300, "file/below", "a:b@c")

KNOWN_CODES = frozenset(code.value for code in ExitCode)


def draw_invocation(random: Random, _: Sequence[bytes]) -> bytes:
    """Return a random command line and environment as JSON."""
    command = random.choice(COMMANDS)
    words = [random.choice(random.choice((OPTIONS, WORDS))) for _ in range(random.randint(0, 5))]
    before = [random.choice(random.choice((OPTIONS, WORDS)))] if random.random() < 0.1 else []
    variables = {random.choice(VARIABLES): random.choice(WORDS) for _ in range(random.choice((0, 0, 1, 2)))}
    arguments = [*before, *command, *words]
    if EXCLUDED & {*arguments}:
        arguments = ["status"]
    return json.dumps({"arguments": arguments, "variables": variables, "state": random.choice(STATE_NAMES)}).encode()


def run_invocation(path: Path, _: Random) -> None:
    """Run one invocation in an empty directory.

    Raises:
        AssertionError: the exit code is unknown, or a traceback or an unexpected error was written.
    """
    invocation = json.loads(path.read_text())
    directory = path.parent / "work"
    directory.mkdir(exist_ok=True)
    (directory / "config.toml").write_text("[sampling]\ninterval = '5s'\n")
    (directory / "trace.csv").write_text("timestamp,cpu_usage\n1700000000,0.5\n1700000005,0.25\n")
    (directory / "file").touch()
    state = str(directory / invocation["state"])
    environment = {"PATH": "/usr/bin", "HOME": str(directory), "STATE_DIRECTORY": state}
    output = path.parent / "output"
    former = Path.cwd()
    os.chdir(directory)
    try:
        with patch.dict(os.environ, environment | invocation["variables"], clear=True), _redirected(output):
            code = main(invocation["arguments"])
    finally:
        os.chdir(former)
        logging.getLogger().handlers.clear()
    text = output.read_text(errors="replace")
    assert code in KNOWN_CODES, code
    assert "Traceback" not in text, text[-500:]
    assert "command crashed" not in text, text[-500:]
    if code == ExitCode.FAILED:
        raise MonitorError(text[-500:] or "failed")


@contextmanager
def _redirected(target: Path) -> Iterator[None]:
    """Write the output of this process to a file, and read its input from /dev/null."""
    saved = [os.dup(number) for number in range(3)]
    streams = (sys.stdin, sys.stdout, sys.stderr)
    empty = os.open(os.devnull, os.O_RDONLY)
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, source in enumerate((empty, file, file)):
        os.dup2(source, number)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                continue
        sys.stdin, sys.stdout, sys.stderr = streams
        for number, source in enumerate(saved):
            os.dup2(source, number)
            os.close(source)
        os.close(empty)
        os.close(file)
