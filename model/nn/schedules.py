"""Learning-rate schedules: factors on the learning rate over the course of training."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field


class Schedule(ABC):
    """Factor on the learning rate as a function of training progress.

    A schedule depends on progress and past losses only, so a checkpoint stores no state of it.
    """

    def start_epoch(self, losses: Sequence[float]) -> None:  # noqa: B027  most schedules ignore the losses
        """Update the schedule before an epoch.

        Args:
            losses: validation losses of all epochs so far, or training losses without validation examples.
        """

    @abstractmethod
    def factor(self, progress: float) -> float:
        """Return the factor on the learning rate; `progress` is the completed share of all steps, 0 to 1."""


@dataclass(frozen=True)
class Constant(Schedule):
    """Constant learning rate."""

    def factor(self, progress: float) -> float:  # noqa: ARG002
        return 1.0


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Multiplication by `drop` after each `every` of the training (a share, 0 to 1)."""

    drop: float = 0.5
    every: float = 0.25

    def __post_init__(self) -> None:
        _require(0 < self.drop <= 1 and 0 < self.every <= 1, self)

    def factor(self, progress: float) -> float:
        return self.drop ** math.floor(progress / self.every + 1e-9)


@dataclass(frozen=True)
class Exponential(Schedule):
    """Exponential decay from 1 to `final` at the end of the training."""

    final: float = 0.01

    def __post_init__(self) -> None:
        _require(0 < self.final <= 1, self)

    def factor(self, progress: float) -> float:
        return math.pow(self.final, progress)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Cosine decay from 1 to 0 (Loshchilov and Hutter 2017, without restarts)."""

    def factor(self, progress: float) -> float:
        return 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class WarmUp(Schedule):
    """Linear increase from 0 to 1 during the first `share` of the training, then the schedule `then`.

    (Goyal et al. 2017.)
    """

    share: float = 0.1
    then: Schedule = field(default_factory=Cosine)

    def __post_init__(self) -> None:
        _require(0 < self.share < 1, self)

    def start_epoch(self, losses: Sequence[float]) -> None:
        self.then.start_epoch(losses)

    def factor(self, progress: float) -> float:
        if progress < self.share:
            return progress / self.share
        return self.then.factor((progress - self.share) / (1 - self.share))


@dataclass
class ReduceOnPlateau(Schedule):
    """Multiplication by `drop` after `patience` epochs without a new lowest loss, down to the factor `least`."""

    drop: float = 0.5
    patience: int = 3
    least: float = 1e-3
    _factor: float = field(default=1.0, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require(0 < self.drop < 1 and self.patience >= 1 and 0 <= self.least <= 1, self)

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


def _require(valid: bool, schedule: Schedule) -> None:
    if not valid:
        raise ValueError(f"{schedule!r}: shares and factors must be between 0 and 1, patience at least 1")


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": StepDecay,
    "exponential": Exponential,
    "cosine": Cosine,
    "warmup": WarmUp,
    "plateau": ReduceOnPlateau,
}
"""Schedule classes by configuration name."""
