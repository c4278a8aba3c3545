"""How the learning rate moves over a training.

A schedule gives the factor on the learning rate at each step. All but one depend on the share of the training that
is done; that one looks at the losses, from which it can always be told anew, so a resumed training needs no more.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field


class Schedule(ABC):
    """A factor on the learning rate."""

    def begin_epoch(self, losses: Sequence[float]) -> None:  # noqa: B027  most do not look
        """Told of the loss of each epoch so far, before the next begins."""

    @abstractmethod
    def factor(self, progress: float) -> float:
        """The factor when `progress` (0 to 1) of all steps is done."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate throughout."""

    def factor(self, progress: float) -> float:  # noqa: ARG002
        return 1.0


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Multiplied by `drop` after each `every` of the training."""

    drop: float = 0.5
    every: float = 0.25

    def __post_init__(self) -> None:
        _require(0 < self.drop <= 1 and 0 < self.every <= 1, self)

    def factor(self, progress: float) -> float:
        return self.drop ** math.floor(progress / self.every + 1e-9)


@dataclass(frozen=True)
class Exponential(Schedule):
    """Falls by the same ratio in equal times, down to `final` at the end."""

    final: float = 0.01

    def __post_init__(self) -> None:
        _require(0 < self.final <= 1, self)

    def factor(self, progress: float) -> float:
        return math.pow(self.final, progress)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from 1 to 0 (Loshchilov and Hutter 2017, without restarts)."""

    def factor(self, progress: float) -> float:
        return 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class WarmUp(Schedule):
    """Rises evenly from 0 to 1 during the first `share`, then another schedule over the rest (Goyal et al. 2017)."""

    share: float = 0.1
    then: Schedule = field(default_factory=Cosine)

    def __post_init__(self) -> None:
        _require(0 < self.share < 1, self)

    def begin_epoch(self, losses: Sequence[float]) -> None:
        self.then.begin_epoch(losses)

    def factor(self, progress: float) -> float:
        if progress < self.share:
            return progress / self.share
        return self.then.factor((progress - self.share) / (1 - self.share))


@dataclass
class ReduceOnPlateau(Schedule):
    """Multiplied by `drop` whenever the loss has not been lower than its best for `patience` epochs, to `least`."""

    drop: float = 0.5
    patience: int = 3
    least: float = 1e-3
    _now: float = field(default=1.0, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require(0 < self.drop < 1 and self.patience >= 1 and 0 <= self.least <= 1, self)

    def begin_epoch(self, losses: Sequence[float]) -> None:
        self._now, best, waited = 1.0, math.inf, 0
        for loss in losses:
            if loss < best:
                best, waited = loss, 0
            else:
                waited += 1
            if waited == self.patience:
                self._now, waited = max(self._now * self.drop, self.least), 0

    def factor(self, progress: float) -> float:  # noqa: ARG002
        return self._now


def _require(sense: bool, schedule: Schedule) -> None:
    if not sense:
        raise ValueError(f"{schedule!r} is no schedule: shares and factors are between 0 and 1, patience from 1 on")


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": StepDecay,
    "exponential": Exponential,
    "cosine": Cosine,
    "warmup": WarmUp,
    "plateau": ReduceOnPlateau,
}
