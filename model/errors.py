"""Model exceptions: hierarchy of the errors that the model package raises.

ModelError
├── InputError              examples, settings or a checkpoint that a training run cannot use
├── NotEnoughHistoryError   a history with too few samples, outcomes or high-load periods to fit a model
├── UnsupportedTaskError    a task that the pretrained model does not cover
├── DivergedError           a training run that diverged
└── SerializationError      bytes that are not a valid archive, or content that cannot be stored
"""

from enum import Enum, StrEnum


class InputProblem(Enum):
    """Reason for an `InputError`."""

    SETTING = "invalid setting"
    SHAPE = "wrong type or shape"
    NOT_FINITE = "value that is not finite"
    LABEL = "invalid label"
    NO_KNOWN_LABEL = "output without a known label"
    SINGLE_CLASS = "labels of one class only"
    CHECKPOINT = "checkpoint of another training run, or inconsistent"
    INTERRUPTED = "training interrupted inside an epoch"


class SerializationProblem(Enum):
    """Reason for a `SerializationError`."""

    FOREIGN = "not an archive of this program"
    DAMAGED = "damaged archive"
    KIND = "archive of another kind"
    NEWER_FORMAT = "format of a newer release"
    TOO_LARGE = "more bytes than allowed"
    CONTENT = "inconsistent or unsupported content"


class ModelError(Exception):
    """Base class of all exceptions of this package."""


class InputError(ModelError):
    """Raised if the examples, settings, high-load rules or checkpoint of a training run cannot be used.

    Attributes:
        problem: code of the reason.
    """

    def __init__(self, message: str, problem: InputProblem = InputProblem.SETTING) -> None:
        super().__init__(message)
        self.problem = problem


class SkipReason(StrEnum):
    """Reason why no model is fitted to a history, or to the labels of one horizon."""

    HISTORY_TOO_SHORT = "history_too_short"
    MISSING_METRIC = "missing_metric"
    NO_KNOWN_OUTCOME = "no_known_outcome"
    HORIZON_BELOW_SPACING = "horizon_below_spacing"
    NO_HIGH_LOAD = "no_high_load"
    NO_CALM_LOAD = "no_calm_load"
    TOO_FEW_EVENTS = "too_few_events"

    @property
    def message(self) -> str:
        """Reason as a noun phrase, for messages."""
        return _SKIP_MESSAGES[self]


_SKIP_MESSAGES = {
    SkipReason.HISTORY_TOO_SHORT: "not enough history",
    SkipReason.MISSING_METRIC: "no value of a metric of the high-load rules",
    SkipReason.NO_KNOWN_OUTCOME: "no known outcome",
    SkipReason.HORIZON_BELOW_SPACING: "samples further apart than the horizon",
    SkipReason.NO_HIGH_LOAD: "no high load",
    SkipReason.NO_CALM_LOAD: "no calm load",
    SkipReason.TOO_FEW_EVENTS: "too few high-load periods",
}


class NotEnoughHistoryError(ModelError):
    """Raised if a history has too few samples, known outcomes or high-load periods to fit a model.

    Attributes:
        skip_reason: code of the reason.
    """

    def __init__(self, message: str, skip_reason: SkipReason = SkipReason.HISTORY_TOO_SHORT) -> None:
        super().__init__(message)
        self.skip_reason = skip_reason


class UnsupportedTaskReason(StrEnum):
    """Reason why the pretrained model does not cover a task."""

    QUANTILE_BOUND = "quantile_bound"
    OUT_OF_RANGE = "out_of_range"

    @property
    def message(self) -> str:
        """Reason as a sentence, for messages."""
        return _TASK_MESSAGES[self]


_TASK_MESSAGES = {
    UnsupportedTaskReason.QUANTILE_BOUND: "the pretrained model needs numeric bounds: a quantile needs a history",
    UnsupportedTaskReason.OUT_OF_RANGE: (
        "the pretrained model covers horizons of 30 s to 8 h and samples at most an hour apart"
    ),
}


class UnsupportedTaskError(ModelError, ValueError):
    """Raised if the pretrained model does not cover the rules, horizons or sampling step of a task.

    Attributes:
        reason: code of the reason.
    """

    def __init__(self, reason: UnsupportedTaskReason, task: str = "") -> None:
        super().__init__(f"{reason.message}, not {task}" if task else reason.message)
        self.reason = reason


class DivergedError(ModelError):
    """Raised if the training loss is too high, or if losses, gradients or parameters are not finite."""


class SerializationError(ModelError):
    """Raised if bytes are not an archive that this release reads, or if content cannot be stored.

    Attributes:
        problem: code of the reason.
    """

    def __init__(self, message: str, problem: SerializationProblem = SerializationProblem.CONTENT) -> None:
        super().__init__(message)
        self.problem = problem
