"""What the commands can end with: each error is one line that a person can act on, and an exit code."""

from __future__ import annotations

from collections.abc import Sequence

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED, EXIT_NOT_ENOUGH_DATA, EXIT_LOCKED = range(6)


class MonitorError(Exception):
    """Something failed."""

    exit_code = EXIT_FAILED


class ConfigError(MonitorError):
    """The configuration cannot be used; `problems` has one line each."""

    exit_code = EXIT_USAGE

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class UsageError(MonitorError):
    """What was typed does not go together."""

    exit_code = EXIT_USAGE


class RefusedError(MonitorError):
    """The gate refused the candidate."""

    exit_code = EXIT_REFUSED


class NotEnoughDataError(MonitorError):
    """There is too little history to train on, or none to predict from."""

    exit_code = EXIT_NOT_ENOUGH_DATA


class LockedError(MonitorError):
    """Another retraining holds the lock."""

    exit_code = EXIT_LOCKED
