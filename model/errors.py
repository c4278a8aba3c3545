"""Exceptions of the model package.

ModelError                 a model cannot be made, read or used
├── InputError             arrays or settings that no network can be fitted with
├── NotEnoughHistoryError  the history has too few samples or outcomes to learn from
├── UnsupportedTaskError   the pretrained model does not cover the configured task
├── DivergedError          the training left the finite numbers or diverged from its start
└── SerializationError     bytes that are not a model, are damaged, or are of an unsupported format

Each message is a sentence on which an operator can act.
"""

from __future__ import annotations

from enum import StrEnum


class ModelError(Exception):
    """Raised when a model cannot be made, read or used."""


class InputError(ModelError):
    """Raised for arrays or settings that no network can be fitted with: wrong shapes, values that are not finite."""


class SkipReason(StrEnum):
    """Reason for which nothing can be learned from a history, or one horizon cannot."""

    HISTORY_TOO_SHORT = "history_too_short"
    NO_KNOWN_OUTCOME = "no_known_outcome"
    NO_HIGH_LOAD = "no_high_load"
    NO_CALM_LOAD = "no_calm_load"

    @property
    def message(self) -> str:
        """Noun phrase for messages."""
        return _SKIP_MESSAGES[self]


_SKIP_MESSAGES = {
    SkipReason.HISTORY_TOO_SHORT: "not enough history",
    SkipReason.NO_KNOWN_OUTCOME: "no known outcome",
    SkipReason.NO_HIGH_LOAD: "no high load",
    SkipReason.NO_CALM_LOAD: "no calm load",
}


class NotEnoughHistoryError(ModelError):
    """Raised when the history has too few samples or outcomes to learn from."""

    def __init__(self, message: str, reason: SkipReason = SkipReason.HISTORY_TOO_SHORT) -> None:
        super().__init__(message)
        self.reason = reason


class UnsupportedTaskReason(StrEnum):
    """Reason for which the pretrained model does not cover a task."""

    QUANTILE_BOUND = "quantile_bound"
    OUT_OF_RANGE = "out_of_range"

    @property
    def message(self) -> str:
        """Sentence for messages."""
        return _TASK_MESSAGES[self]


_TASK_MESSAGES = {
    UnsupportedTaskReason.QUANTILE_BOUND: "the pretrained model needs numeric bounds: a quantile needs a history",
    UnsupportedTaskReason.OUT_OF_RANGE: (
        "the pretrained model covers horizons of 30 s to 8 h and samples at most an hour apart"
    ),
}


class UnsupportedTaskError(ModelError, ValueError):
    """Raised when the pretrained model does not cover the rules, horizons or sampling step of a task."""

    def __init__(self, reason: UnsupportedTaskReason, task: str = "") -> None:
        super().__init__(f"{reason.message}, not {task}" if task else reason.message)
        self.reason = reason


class DivergedError(ModelError):
    """Raised when the training leaves the finite numbers or diverges from its start."""


class SerializationError(ModelError):
    """Raised for bytes that are not a model, are damaged, or are of a format that this release does not read."""
