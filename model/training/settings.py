"""Training settings: ensemble recipe, promotion gate, backtest schedule and retraining interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from model.nn.fit_config import FitConfig
from model.nn.optimizers import AdamW
from model.trees.boosting import BoostingConfig

if TYPE_CHECKING:
    # The configuration imports this module, and needs no networks.
    from model.forecast.pretrained import PretrainedModel

MIN_RETRAIN_DELAY = 1800.0
"""Shortest time between two training runs in seconds."""

GROWTH = 0.25
"""Relative growth of the history after which a model is retrained."""


@dataclass(frozen=True)
class Recipe:
    """Settings of an ensemble of plain networks, encoded networks and boosted trees (see `model.forecast.ensemble`).

    Encoded networks have the first hidden layer only: the codes make further layers unnecessary.

    Attributes:
        networks: number of networks: one half plain, the other half encoded (rounded down).
        layers: number of units in each hidden layer of plain networks.
        activation: activation function after each hidden layer, a name in ACTIVATIONS.
        dropout: dropout rate of the hidden units.
        fit: fit configuration of plain networks; the batch size is an upper limit (see `batch_rows`).
        boosting: settings of the trees.
        load_index_only: True for features of the load index only, without metrics as inputs.
        shared: pretrained model of the host's fleet; None for the bundled pretrained model.
    """

    networks: int = 6
    layers: tuple[int, ...] = (64, 32)
    activation: str = "relu"
    dropout: float = 0.15
    fit: FitConfig = field(default_factory=lambda: FitConfig(patience=0, keep_best=False))
    boosting: BoostingConfig = field(default_factory=BoostingConfig)
    load_index_only: bool = False
    shared: PretrainedModel | None = field(default=None, repr=False)

    @property
    def encoded_networks(self) -> int:
        """Number of encoded networks."""
        return self.networks // 2

    @property
    def encoded_fit(self) -> FitConfig:
        """Fit configuration of encoded networks: fewer and larger steps than for plain networks, in smaller batches.

        With AdamW, the weight decay is three times as large, and the second moment has a shorter memory.
        """
        decay = 3 * self.fit.weight_decay
        return replace(
            self.fit,
            optimizer=AdamW(beta2=0.99, weight_decay=decay) if self.fit.optimizer == "adamw" else self.fit.optimizer,
            learning_rate=2 * self.fit.learning_rate,
            epochs=math.ceil(self.fit.epochs / 2),
            batch_size=math.ceil(self.fit.batch_size / 2),
            weight_decay=decay,
        )

    @property
    def fits(self) -> tuple[FitConfig, ...]:
        """Fit configuration of each network: plain networks, then encoded networks."""
        plain = self.networks - self.encoded_networks
        return (self.fit,) * plain + (self.encoded_fit,) * self.encoded_networks


@dataclass(frozen=True)
class GateConfig:
    """Conditions for the promotion of a candidate.

    Attributes:
        margin: number of standard errors by which a candidate may score worse (see `check_candidate`).
        min_skill: smallest Brier skill over climatology.
    """

    margin: float = 1.0
    min_skill: float = 0.0


@dataclass(frozen=True)
class BacktestConfig:
    """Schedule, promotion gate and seed of a backtest.

    Attributes:
        until: seconds since the epoch; the first model is trained on the samples before this time.
        interval: longest time until a model is retrained, in seconds; None to train once, without recalibration.
        history: longest history that a training run uses, in seconds.
        gate: conditions for promotion.
        seed: random seed of each training run.
    """

    until: float
    interval: float | None
    history: float
    gate: GateConfig
    seed: int = 0


def retrain_delay(history: float, interval: float | None) -> float:
    """Return the seconds until the next training run; infinity if `interval` is None.

    A model is retrained once its history has grown by GROWTH, but not before MIN_RETRAIN_DELAY. It is retrained at
    the latest after `interval`, which takes precedence.

    Args:
        history: seconds of history that the last training run used.
        interval: longest delay in seconds; None for no retraining.
    """
    if interval is None:
        return math.inf
    return min(interval, max(history * GROWTH, MIN_RETRAIN_DELAY))
