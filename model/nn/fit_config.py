"""Fit configuration: the settings of a training, with their validation."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

from model.errors import InputError
from model.nn.optimizers import OPTIMIZERS, AdamW, Optimizer, make_optimizer
from model.nn.schedules import SCHEDULES, Schedule

_NOT_NEGATIVE = (
    "weight_decay",
    "l1",
    "l2",
    "gradient_clip",
    "gradient_clip_value",
    "patience",
    "vanishing_gradient",
    "exploding_gradient",
)


@dataclass(frozen=True)
class FitConfig:
    """How to fit.

    Attributes:
        optimizer: one of OPTIMIZERS, or one made by hand (which is copied).
        learning_rate: the largest step.
        schedule: one of SCHEDULES, or one made by hand (which is copied).
        epochs: passes over the training rows, at most.
        batch_size: rows a step.
        weight_decay: decoupled, for "adamw" only.
        l1: penalty on the sum of the weights' sizes, any optimizer.
        l2: penalty on half the sum of their squares, any optimizer.
        gradient_clip: largest L2 norm of a step's gradient, 0 for no limit.
        gradient_clip_value: largest element of a step's gradient, 0 for no limit.
        patience: epochs without a better validation loss before it stops, 0 to go on to the end.
        keep_best: whether the weights of the epoch with the best validation loss are kept, or those of the last.
        vanishing_gradient: a mean gradient norm of a weight matrix below this is reported.
        exploding_gradient: a gradient norm above this is reported.
    """

    optimizer: str | Optimizer = "adamw"
    learning_rate: float = 2e-3
    schedule: str | Schedule = "cosine"
    epochs: int = 16
    batch_size: int = 256
    weight_decay: float = 1e-2
    l1: float = 0.0
    l2: float = 0.0
    gradient_clip: float = 5.0
    gradient_clip_value: float = 0.0
    patience: int = 8
    keep_best: bool = True
    vanishing_gradient: float = 1e-7
    exploding_gradient: float = 100.0

    def check(self) -> None:
        """Raises InputError, naming a setting that makes no training."""
        for name in ("epochs", "batch_size"):
            self._require(name, "a whole number from 1 on", lambda value: value >= 1 and value == int(value))
        self._require("learning_rate", "above 0 and finite", lambda value: 0 < value < math.inf)
        for name in _NOT_NEGATIVE:
            self._require(name, "0 or above and finite", lambda value: 0 <= value < math.inf)
        for name, known, method in (("optimizer", OPTIMIZERS, "update"), ("schedule", SCHEDULES, "factor")):
            value = getattr(self, name)
            if isinstance(value, type) or not (value in known if isinstance(value, str) else hasattr(value, method)):
                raise InputError(f"unknown {name} {value!r}; one of {', '.join(known)}")

    def new_optimizer(self, penalised: int) -> Optimizer:
        """The optimizer, before its first step; AdamW decays the first `penalised` parameters, unless told which."""
        if isinstance(self.optimizer, str):
            decay = self.weight_decay if self.optimizer == "adamw" else 0.0
            return make_optimizer(self.optimizer, decay, penalised)
        optimizer = copy.deepcopy(self.optimizer)
        if isinstance(optimizer, AdamW) and optimizer.decayed is None:
            optimizer.decayed = penalised
        return optimizer

    def new_schedule(self) -> Schedule:
        """The schedule, before its first epoch."""
        return SCHEDULES[self.schedule]() if isinstance(self.schedule, str) else copy.deepcopy(self.schedule)

    def _require(self, name: str, what: str, holds: Callable[[float], bool]) -> None:
        value = getattr(self, name)
        if not isinstance(value, Real) or not holds(float(value)):
            raise InputError(f"{name} must be {what}, not {value!r}")
