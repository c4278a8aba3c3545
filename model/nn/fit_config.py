"""Fit configuration: settings of a training run and their validation."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection
from dataclasses import dataclass
from numbers import Real

from model.errors import InputError
from model.nn.optimizers import OPTIMIZERS, AdamW, Optimizer, make_optimizer
from model.nn.schedules import SCHEDULES, Schedule

NON_NEGATIVE = (
    "weight_decay",
    "l1",
    "l2",
    "gradient_clip",
    "gradient_clip_value",
    "patience",
    "vanishing_gradient",
    "exploding_gradient",
)
"""Settings that must be 0 or above."""


@dataclass(frozen=True)
class FitConfig:
    """Settings of a training run.

    Attributes:
        optimizer: name in OPTIMIZERS, or an instance, which is copied.
        learning_rate: largest learning rate; the schedule multiplies it.
        schedule: name in SCHEDULES, or an instance, which is copied.
        epochs: largest number of passes over the training examples.
        batch_size: rows per step.
        weight_decay: decoupled weight decay, for "adamw" only.
        l1: factor of the L1 penalty on the weights.
        l2: factor of the L2 penalty on the weights.
        gradient_clip: largest L2 norm of the gradient of a step, 0 for no limit.
        gradient_clip_value: largest element of the gradient of a step, 0 for no limit.
        patience: epochs without a lower validation loss before the training stops, 0 for no early stopping.
        keep_best: True keeps the weights of the epoch with the lowest validation loss, False those of the last epoch.
        vanishing_gradient: mean gradient norm of a weight matrix below which gradients are reported as vanishing.
        exploding_gradient: gradient norm above which gradients are reported as exploding.
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
        """Raise InputError that names the first invalid setting."""
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if not _is_finite(value) or value < 1 or value != int(value):
                raise InputError(f"{name} must be a whole number of at least 1, not {value!r}")
        if not _is_finite(self.learning_rate) or self.learning_rate <= 0:
            raise InputError(f"learning_rate must be above 0 and finite, not {self.learning_rate!r}")
        for name in NON_NEGATIVE:
            value = getattr(self, name)
            if not _is_finite(value) or value < 0:
                raise InputError(f"{name} must be 0 or above and finite, not {value!r}")
        _check_choice("optimizer", self.optimizer, OPTIMIZERS, "update")
        _check_choice("schedule", self.schedule, SCHEDULES, "factor")

    def new_optimizer(self, weight_count: int) -> Optimizer:
        """Create the optimizer before its first step.

        Args:
            weight_count: number of leading parameters that AdamW decays, unless the configured instance sets it.
        """
        if isinstance(self.optimizer, str):
            weight_decay = self.weight_decay if self.optimizer == "adamw" else 0.0
            return make_optimizer(self.optimizer, weight_decay, weight_count)
        optimizer = copy.deepcopy(self.optimizer)
        if isinstance(optimizer, AdamW) and optimizer.decayed is None:
            optimizer.decayed = weight_count
        return optimizer

    def new_schedule(self) -> Schedule:
        """Create the schedule before its first epoch."""
        return SCHEDULES[self.schedule]() if isinstance(self.schedule, str) else copy.deepcopy(self.schedule)


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _check_choice(name: str, value: object, choices: Collection[str], method: str) -> None:
    """Raise InputError unless the value is one of the names, or an instance with the method."""
    is_name = isinstance(value, str) and value in choices
    is_instance = hasattr(value, method) and not isinstance(value, type)
    if not is_name and not is_instance:
        raise InputError(f"unknown {name} {value!r}; one of {', '.join(choices)}")
