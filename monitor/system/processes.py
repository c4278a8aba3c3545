"""Process control: priority, deadlines and child processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

import monitor
from monitor.errors import MonitorError

FIND_MONITOR = "import importlib.util as u; print(getattr(u.find_spec('monitor'), 'origin', None) or '')"
"""Python program that prints the path of the package `monitor` that an import loads."""


@contextmanager
def deadline(seconds: float, message: str) -> Iterator[None]:
    """Limit the duration of a `with` block in the main thread.

    Raises:
        MonitorError: the block takes longer than `seconds`; the error has the given message.
    """

    def expire(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise MonitorError(message)

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def lower_priority() -> None:
    """Give this process the lowest CPU and I/O priority, and make it a preferred victim of the OOM killer.

    A change that a sandbox forbids is skipped.
    """
    with suppress(OSError):
        os.nice(19)
    with suppress(psutil.Error, OSError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def start_monitor(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the same release of `monitor` as a child process; its stderr is a pipe.

    Python's option -P prevents imports from the working directory, which may contain a package named `storage`.
    """
    return subprocess.Popen(  # noqa: S603 - this interpreter and this package
        [sys.executable, "-P", "-m", "monitor", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=child_environment(),
    )


def child_environment() -> Mapping[str, str]:
    """Return the environment in which `python -P -m monitor` loads the package that this process has loaded.

    An installed package is importable without changes. A checkout that was imported from the working directory is
    not: its directory is then put first in $PYTHONPATH.
    """
    package_file = Path(str(monitor.__file__)).resolve()
    probe = subprocess.run(  # noqa: S603 - this interpreter and a constant program
        [sys.executable, "-P", "-c", FIND_MONITOR], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    importable = os.fsdecode(probe.stdout.strip())
    if importable and Path(importable).resolve() == package_file:
        return os.environ
    search_path = [str(package_file.parents[1])]
    if inherited := os.environ.get("PYTHONPATH"):
        search_path.append(inherited)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(search_path)}


def stop_child(child: subprocess.Popen[bytes], patience: float) -> None:
    """Terminate a child process; kill it if it is still running after `patience` seconds."""
    child.terminate()
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def exit_description(child: subprocess.Popen[bytes]) -> str:
    """Return a phrase such as "ended with exit code 1", followed by the last line of the child's stderr.

    A child that another process ended by SIGKILL most often had too little memory.
    """
    last_line = ""
    if child.stderr:
        last_line = child.stderr.read().decode(errors="replace").strip().rpartition("\n")[2]
    if child.returncode < 0:
        ended_by = signal.Signals(-child.returncode)
        hint = " (perhaps too little memory: see the kernel log)" if ended_by == signal.SIGKILL else ""
        description = f"was ended by {ended_by.name}{hint}"
    else:
        description = f"ended with exit code {child.returncode}"
    return f"{description}: {last_line}" if last_line else description
