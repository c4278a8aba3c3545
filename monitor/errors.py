"""Exception hierarchy of the package `monitor`: errors with messages for the operator.

    Exception
    └── MonitorError
        ├── ConfigError
        ├── RefusedError
        ├── NotEnoughDataError
        ├── PredictorError
        ├── LockedError
        └── SourceError

The packages `storage` and `model` have their own hierarchies: `StorageError` and `ModelError`.
`monitor.cli.exit_codes` maps all errors to exit codes.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_PROBLEMS = 100
"""Largest number of problems that a `ConfigError` lists."""

MAX_PROBLEM_LENGTH = 500
"""Largest length of a problem in characters: a key or a value may be as long as its file."""


class MonitorError(Exception):
    """Raised when an operation failed; the base class of all errors of this package."""


class ConfigError(MonitorError):
    """Raised when a configuration cannot be used.

    Attributes:
        problems: one line per problem, each naming the file and the key; limited in number and length.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        listed = [shortened(problem, MAX_PROBLEM_LENGTH) for problem in problems[:MAX_PROBLEMS]]
        if len(problems) > MAX_PROBLEMS:
            listed.append(f"{len(problems) - MAX_PROBLEMS} more problems")
        super().__init__("\n".join(listed))
        self.problems = tuple(listed)


class RefusedError(MonitorError):
    """Raised when the gate refused a candidate."""


class NotEnoughDataError(MonitorError):
    """Raised when the history does not suffice for a training run, or for a prediction."""


class PredictorError(MonitorError):
    """Raised when the output of a predictor or a detector is not finite, or not a probability."""


class LockedError(MonitorError):
    """Raised when another training run is in progress."""


class SourceError(MonitorError):
    """Raised when a time series database gives no usable answer."""


def shortened(text: str, length: int) -> str:
    """Return a text, cut in its middle to at most `length` characters."""
    if len(text) <= length:
        return text
    half = (length - 3) // 2
    return f"{text[:half]}...{text[-half:]}"
