"""Exception hierarchy of the package `monitor`: errors with messages for the operator.

    Exception
    └── MonitorError
        ├── ConfigError
        ├── RefusedError
        ├── NotEnoughDataError
        ├── PredictorError
        └── LockedError

The packages `storage` and `model` have their own hierarchies: `StorageError` and `ModelError`.
`monitor.cli.exit_codes` maps all errors to exit codes.
"""

from __future__ import annotations

from collections.abc import Sequence


class MonitorError(Exception):
    """Raised when an operation failed; the base class of all errors of this package."""


class ConfigError(MonitorError):
    """Raised when a configuration cannot be used.

    Attributes:
        problems: one line per problem, each naming the file and the key.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class RefusedError(MonitorError):
    """Raised when the gate refused a candidate."""


class NotEnoughDataError(MonitorError):
    """Raised when the history does not suffice for a training run, or for a prediction."""


class PredictorError(MonitorError):
    """Raised when the output of a predictor or a detector is not finite, or not a probability."""


class LockedError(MonitorError):
    """Raised when another training run is in progress."""
