"""Fit configuration: settings of a training run and their validation."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection
from dataclasses import dataclass
from numbers import Real

from model.errors import InputError
from model.nn.optimizers import OPTIMIZERS, AdamW, Optimizer
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
"""Settings that must be non-negative."""


@dataclass(frozen=True)
class FitConfig:
    """Settings of a training run.

    Attributes:
        optimizer: name in OPTIMIZERS, or an instance, which is copied.
        learning_rate: learning rate at a schedule factor of 1.
        schedule: name in SCHEDULES, or an instance, which is copied.
        epochs: number of passes over the training examples; early stopping may end the run earlier.
        batch_size: rows per step.
        weight_decay: decoupled weight decay if `optimizer` is the name "adamw"; ignored otherwise.
        l1: factor of the L1 penalty on the weights.
        l2: factor of the L2 penalty on the weights.
        gradient_clip: L2 norm to which the gradient of a step is clipped; 0 disables clipping by norm.
        gradient_clip_value: absolute value to which each element of the gradient is clipped; 0 disables clipping by
            value.
        patience: number of epochs without a new lowest validation loss after which the run stops; 0 disables early
            stopping. Without validation examples, the run does not stop early.
        keep_best: True to keep the parameters of the epoch with the lowest validation loss, False to keep the
            parameters of the last epoch. Without validation examples, the last epoch is kept.
        vanishing_gradient: mean gradient norm of a weight matrix below which gradients are reported as vanishing.
        exploding_gradient: gradient norm of a parameter above which gradients are reported as exploding.
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
        """Create the optimizer of a training run.

        Args:
            weight_count: number of leading parameters to which weight decay applies, unless an AdamW instance sets
                `decayed`.
        """
        if self.optimizer == "adamw":
            return AdamW(weight_decay=self.weight_decay, decayed=weight_count)
        if isinstance(self.optimizer, str):
            return OPTIMIZERS[self.optimizer]()
        optimizer = copy.deepcopy(self.optimizer)
        if isinstance(optimizer, AdamW) and optimizer.decayed is None:
            optimizer.decayed = weight_count
        return optimizer

    def new_schedule(self) -> Schedule:
        """Create the schedule of a training run."""
        return SCHEDULES[self.schedule]() if isinstance(self.schedule, str) else copy.deepcopy(self.schedule)


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _check_choice(name: str, value: object, choices: Collection[str], method: str) -> None:
    """Raise InputError unless `value` is a name in `choices`, or an instance that has the method named `method`."""
    is_name = isinstance(value, str) and value in choices
    is_instance = hasattr(value, method) and not isinstance(value, type)
    if not is_name and not is_instance:
        raise InputError(f"unknown {name} {value!r}; one of {', '.join(choices)}")
