"""Exit codes: status of a command, and the code for each error class."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit code of a command; NOT_RUNNING is an alias of REFUSED."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_RUNNING = 3
    NOT_ENOUGH_DATA = 4
    LOCKED = 5
    INTERRUPTED = 130


EXIT_CODES = {
    "monitor.errors.MonitorError": ExitCode.FAILED,
    "monitor.errors.ConfigError": ExitCode.USAGE,
    "monitor.errors.RefusedError": ExitCode.REFUSED,
    "monitor.errors.NotEnoughDataError": ExitCode.NOT_ENOUGH_DATA,
    "monitor.errors.LockedError": ExitCode.LOCKED,
    "storage.errors.exceptions.StorageError": ExitCode.FAILED,
    "model.errors.NotEnoughHistoryError": ExitCode.NOT_ENOUGH_DATA,
    "model.errors.ModelError": ExitCode.FAILED,
    "builtins.OSError": ExitCode.FAILED,
}
"""Exit code for the qualified name of each error class; importing the classes would delay every usage error."""


def exit_code_of(error: BaseException) -> ExitCode | None:
    """Return the exit code for an error, or for its nearest base class in EXIT_CODES; None if there is none."""
    names = (f"{base.__module__}.{base.__qualname__}" for base in type(error).__mro__)
    return next((EXIT_CODES[name] for name in names if name in EXIT_CODES), None)
