"""Entry point of `monitor` and `python -m monitor`: signals and descriptors before the imports."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from monitor.cli.address_space import address_space_problem
from monitor.daemon.signals import block_signals, unblock_signals

STDERR = 2
"""Descriptor of stderr."""

LARGE_COMMANDS = ("run", "retrain")
"""Commands that use the BLAS library at once."""

OPTIONS_WITH_VALUE = ("--config", "--log-level", "--log-format", "--color")
"""Options before the command whose value is the next argument."""


def main() -> int:
    """Run the command in the arguments of the process and return its exit code.

    The daemon's signals are blocked before the imports, which take most of its start: a signal that arrives
    meanwhile is handled afterwards.
    """
    command = command_name(sys.argv[1:])
    is_daemon = command == "run"
    if is_daemon:
        block_signals()
    else:
        unblock_signals()
    _open_standard_descriptors()
    problem = address_space_problem() if command in LARGE_COMMANDS else ""
    if problem:
        return _fail(problem)
    try:
        return _run(is_daemon=is_daemon)
    except MemoryError:
        return _fail(address_space_problem() or "not enough memory")


def _run(*, is_daemon: bool) -> int:
    """Import and run the command; return its exit code."""
    from monitor.cli.main import main as run_command  # noqa: PLC0415

    if not is_daemon:
        return run_command()
    from monitor.system.queued_stderr import queued_stderr  # noqa: PLC0415

    with queued_stderr():
        return run_command()


def _fail(problem: str) -> int:
    """Write an error to stderr, without imports, and return the exit code of a failure."""
    if sys.stderr is not None:
        sys.stderr.write(f"monitor: {problem}\n")
    return 1


def command_name(arguments: Sequence[str]) -> str:
    """Return the first argument that is neither an option nor the value of an option; empty if there is none."""
    remaining = iter(arguments)
    for argument in remaining:
        if argument in OPTIONS_WITH_VALUE:
            next(remaining, None)
        elif not argument.startswith("-"):
            return argument
    return ""


def _open_standard_descriptors() -> None:
    """Open /dev/null on each closed descriptor from 0 to 2, so that no other file gets its number.

    Python sets the streams of closed descriptors to None; `monitor.cli.main` replaces them.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
