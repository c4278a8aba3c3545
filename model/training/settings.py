"""Settings of trainings: ensemble recipe, promotion gate, backtest schedule and retraining interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from model.nn.fit_config import FitConfig

MIN_RETRAIN_DELAY = 1800.0
"""Shortest time between two trainings in seconds."""

GROWTH = 0.25
"""Relative growth of the history after which a model is retrained."""


@dataclass(frozen=True)
class Recipe:
    """Ensemble to train.

    Attributes:
        networks: number of networks, whose logits are averaged.
        layers: units of each hidden layer.
        activation: one of ACTIVATIONS, between the layers.
        dropout: ratio of hidden units that a training step leaves out.
        fit: fit configuration; its batch size is the largest number of rows per step.
    """

    networks: int = 8
    layers: tuple[int, ...] = (64, 32)
    activation: str = "relu"
    dropout: float = 0.15
    fit: FitConfig = field(default_factory=lambda: FitConfig(patience=0, keep_best=False))


@dataclass(frozen=True)
class GateConfig:
    """Conditions for the promotion of a candidate.

    Attributes:
        margin: standard errors by which a candidate may seem worse than the incumbent.
        min_skill: smallest Brier skill over the base rate.
    """

    margin: float = 1.0
    min_skill: float = 0.0


@dataclass(frozen=True)
class BacktestConfig:
    """Schedule of a backtest.

    Attributes:
        until: seconds since the epoch; the first model is trained on the samples before it.
        interval: seconds between two trainings; None to train once, without recalibration.
        history: seconds of history of a training, at most.
        gate: conditions for promotion.
        seed: of every training.
    """

    until: float
    interval: float | None
    history: float
    gate: GateConfig
    seed: int = 0


def retrain_delay(history: float, interval: float | None) -> float:
    """Return the seconds until the next training: when the history has grown by a quarter, at most `interval`.

    Args:
        history: seconds of history of the last training.
        interval: seconds; None for no retraining.
    """
    if interval is None:
        return math.inf
    return min(interval, max(history * GROWTH, MIN_RETRAIN_DELAY))
