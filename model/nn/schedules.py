"""Learning-rate schedules: factors on the learning rate over the course of training."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from model.nn.checks import require_setting

UP_TO_1 = "above 0 and at most 1"
BELOW_1 = "above 0 and below 1"


class Schedule(ABC):
    """Learning-rate schedule: factor on the learning rate, given the training progress and the losses so far.

    A resumed training run passes the losses of all earlier epochs, so a checkpoint stores no state of a schedule.
    """

    def start_epoch(self, losses: Sequence[float]) -> None:  # noqa: B027  most schedules ignore the losses
        """Adapt the schedule to the losses of the completed epochs; called before each epoch.

        Args:
            losses: validation loss of each completed epoch; training losses if there are no validation examples.
        """

    @abstractmethod
    def factor(self, progress: float) -> float:
        """Return the factor on the learning rate.

        Args:
            progress: completed steps divided by all steps, 0 to 1.
        """


@dataclass(frozen=True)
class Constant(Schedule):
    """Constant learning rate: the factor is 1."""

    def factor(self, progress: float) -> float:  # noqa: ARG002
        return 1.0


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Step decay: the factor is multiplied by `drop` at regular intervals.

    Attributes:
        drop: factor per interval.
        every: length of an interval as a fraction of the training.
    """

    drop: float = 0.5
    every: float = 0.25

    def __post_init__(self) -> None:
        require_setting(0 < self.drop <= 1, "drop", self.drop, UP_TO_1)
        require_setting(0 < self.every <= 1, "every", self.every, UP_TO_1)

    def factor(self, progress: float) -> float:
        # The addend corrects quotients that rounding leaves just below a whole number.
        return self.drop ** math.floor(progress / self.every + 1e-9)


@dataclass(frozen=True)
class Exponential(Schedule):
    """Exponential decay from 1 to `final` at the end of the training."""

    final: float = 0.01

    def __post_init__(self) -> None:
        require_setting(0 < self.final <= 1, "final", self.final, UP_TO_1)

    def factor(self, progress: float) -> float:
        return math.pow(self.final, progress)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Cosine decay from 1 to 0 (Loshchilov and Hutter 2017, without restarts)."""

    def factor(self, progress: float) -> float:
        return 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class WarmUp(Schedule):
    """Warm-up: linear increase from 0 to 1, followed by another schedule (Goyal et al. 2017).

    Attributes:
        share: fraction of the training during which the factor increases.
        then: schedule for the rest of the training.
    """

    share: float = 0.1
    then: Schedule = field(default_factory=Cosine)

    def __post_init__(self) -> None:
        require_setting(0 < self.share < 1, "share", self.share, BELOW_1)

    def start_epoch(self, losses: Sequence[float]) -> None:
        self.then.start_epoch(losses)

    def factor(self, progress: float) -> float:
        if progress < self.share:
            return progress / self.share
        return self.then.factor((progress - self.share) / (1 - self.share))


@dataclass
class ReduceOnPlateau(Schedule):
    """Reduction on plateaus: the factor is multiplied by `drop` after `patience` epochs without a new lowest loss.

    Attributes:
        drop: factor per plateau.
        patience: number of epochs without a new lowest loss that form a plateau.
        least: lower bound of the factor on the learning rate.
    """

    drop: float = 0.5
    patience: int = 3
    least: float = 1e-3
    _factor: float = field(default=1.0, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_setting(0 < self.drop < 1, "drop", self.drop, BELOW_1)
        require_setting(self.patience >= 1, "patience", self.patience, "at least 1")
        require_setting(0 <= self.least <= 1, "least", self.least, "from 0 to 1")

    def start_epoch(self, losses: Sequence[float]) -> None:
        self._factor = 1.0
        lowest = math.inf
        epochs_without_progress = 0
        for loss in losses:
            if loss < lowest:
                lowest = loss
                epochs_without_progress = 0
            else:
                epochs_without_progress += 1
            if epochs_without_progress == self.patience:
                self._factor = max(self._factor * self.drop, self.least)
                epochs_without_progress = 0

    def factor(self, progress: float) -> float:  # noqa: ARG002
        return self._factor


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": StepDecay,
    "exponential": Exponential,
    "cosine": Cosine,
    "warmup": WarmUp,
    "plateau": ReduceOnPlateau,
}
"""Schedule classes by configuration name."""
