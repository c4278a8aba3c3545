"""Exceptions of the model package.

ModelError
├── InputError              examples, settings or a checkpoint that a training cannot use
├── NotEnoughHistoryError   a history too short or too calm to learn from
├── DivergedError           a training that diverged
└── SerializationError      bytes that are no valid model, or a model that cannot be stored
"""

from enum import Enum


class InputProblem(Enum):
    """Reason of an `InputError`."""

    SETTING = "invalid setting"
    SHAPE = "wrong type or shape"
    NOT_FINITE = "value that is not finite"
    LABEL = "invalid label"
    NO_KNOWN_LABEL = "output without a known label"
    SINGLE_CLASS = "labels of one class only"
    CHECKPOINT = "checkpoint of another training, or inconsistent"
    INTERRUPTED = "training interrupted inside an epoch"


class SerializationProblem(Enum):
    """Reason of a `SerializationError`."""

    FOREIGN = "no archive of this program"
    DAMAGED = "damaged archive"
    KIND = "archive of another kind"
    NEWER_FORMAT = "format of a newer release"
    TOO_LARGE = "more bytes than allowed"
    CONTENT = "inconsistent or unsupported content"


class ModelError(Exception):
    """Base class: a model cannot be made, stored, read or used."""


class InputError(ModelError):
    """Raised before a training starts, if its examples, settings or checkpoint cannot be used.

    Attributes:
        problem: reason.
    """

    def __init__(self, message: str, problem: InputProblem = InputProblem.SETTING) -> None:
        super().__init__(message)
        self.problem = problem


class NotEnoughHistoryError(ModelError):
    """Raised if a history is too short, or without high load, to learn from."""


class DivergedError(ModelError):
    """Raised if the loss or the gradients of a training become too large or are not finite."""


class SerializationError(ModelError):
    """Raised if bytes are not a model that this release reads, or if a model cannot be stored.

    Attributes:
        problem: reason.
    """

    def __init__(self, message: str, problem: SerializationProblem = SerializationProblem.CONTENT) -> None:
        super().__init__(message)
        self.problem = problem
