"""Fitting a network: mini-batches, early stopping on later data, and a stop before it runs away.

`fit` reads from top to bottom as what training is; what it saw of itself comes back as a report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model.arrays import Floats
from model.errors import DivergedError, InputError
from model.gradients import GradientHealth, HealthRecorder
from model.losses import BCEWithLogits, logit
from model.network import Network, mlp
from model.optimizers import make_optimizer
from model.schedules import SCHEDULES


@dataclass(frozen=True)
class FitConfig:
    """How to fit.

    `gradient_clip` is the largest L2 norm of a step's gradient, 0 for no limit; `batch_size` the most rows a step.
    """

    layers: tuple[int, ...] = (64, 32)
    optimizer: str = "adamw"
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    epochs: int = 40
    batch_size: int = 256
    weight_decay: float = 1e-3
    dropout: float = 0.1
    gradient_clip: float = 5.0
    patience: int = 8
    vanishing_gradient: float = 1e-7
    exploding_gradient: float = 100.0


@dataclass(frozen=True)
class Epoch:
    """One pass over the training rows; losses are mean binary cross-entropies in nats."""

    number: int
    train_loss: float
    validation_loss: float
    gradient_norm: float


@dataclass(frozen=True)
class FitReport:
    """How a fit went. `kept` is the number of the epoch whose weights were kept."""

    epochs: tuple[Epoch, ...]
    kept: int
    health: GradientHealth

    @property
    def best(self) -> Epoch:
        """The epoch that was kept."""
        return self.epochs[self.kept - 1]


@dataclass(frozen=True)
class Part:
    """Inputs (rows, features) float32 without NaN, labels (rows, outputs) with NaN for unknown."""

    x: Floats
    y: Floats


def fit(
    train: Part,
    validation: Part,
    config: FitConfig,
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> tuple[Network, FitReport]:
    """Trains a network with one output a label column; the weights of the best epoch on `validation` are kept.

    Args:
        train: what the weights follow.
        validation: later rows, that decide when to stop.
        config: how.
        rng: start, order and dropout; the same generator and data give the same bytes.
        on_epoch: told of each epoch; what it raises stops the training.

    Raises:
        InputError: the arrays do not fit each other, or hold infinities, or labels other than 0, 1 and NaN.
        DivergedError: losses or gradients stopped being finite, or ended far above where they began.
    """
    for part in (train, validation):
        _check(part)
    network = mlp((train.x.shape[1], *config.layers, train.y.shape[1]), rng, dropout=config.dropout)
    _start_at_base_rate(network, train.y)
    trainer = _Trainer(network, config, rng)
    start = trainer.loss(validation)
    epochs: list[Epoch] = []
    kept, best = network.flat.copy(), 0
    for number in range(1, config.epochs + 1):
        epoch = trainer.epoch(number, train, validation)
        epochs.append(epoch)
        on_epoch(epoch)
        _stop_if_diverged(epoch, start)
        if number == 1 or epoch.validation_loss < epochs[best].validation_loss:
            kept[:], best = network.flat, number - 1
        elif number - 1 - best >= config.patience:
            break
    network.flat[:] = kept
    health = trainer.health.result(network, validation.x, config.vanishing_gradient, config.exploding_gradient)
    return network, FitReport(tuple(epochs), best + 1, health)


def batch_rows(rows: int, most: int) -> int:
    """Rows a step: as configured, but so few that a short history still gives some fifty steps an epoch."""
    return max(1, min(most, max(16, rows // 50)))


def _check(part: Part) -> None:
    if part.x.ndim != 2 or part.y.ndim != 2 or len(part.x) != len(part.y) or not len(part.x):
        raise InputError(f"inputs {part.x.shape} and labels {part.y.shape} must be two tables of the same rows")
    if not np.isfinite(part.x).all():
        raise InputError("an input is not finite")
    if not np.all((part.y == 0) | (part.y == 1) | np.isnan(part.y)):
        raise InputError("a label is neither 0 nor 1 nor unknown")


def _start_at_base_rate(network: Network, y: Floats) -> None:
    """Begins where the share of events is already right, so that no step is spent on learning it."""
    known = ~np.isnan(y)
    rates = np.where(known, y, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    bias = network.parameters()[network.names[-1]]
    bias[...] = logit(rates, floor=1e-3)


def _stop_if_diverged(epoch: Epoch, start: float) -> None:
    losses = (epoch.train_loss, epoch.validation_loss)
    if not np.isfinite(losses).all() or epoch.train_loss > 10 * max(start, 0.1):
        raise DivergedError(
            f"the training diverged in epoch {epoch.number} (loss {epoch.train_loss:.3g}, at its start {start:.3g}): "
            "lower training.learning_rate"
        )


class _Trainer:
    """The moving parts of a fit."""

    def __init__(self, network: Network, config: FitConfig, rng: np.random.Generator) -> None:
        self.network, self.config, self.rng = network, config, rng
        self.optimizer = make_optimizer(config.optimizer, config.weight_decay)
        self.schedule = SCHEDULES[config.schedule]
        self.health = HealthRecorder(network)
        self.objective = BCEWithLogits()

    def loss(self, part: Part) -> float:
        return self.objective(self.network.predict(part.x), part.y)[0]

    def epoch(self, number: int, train: Part, validation: Part) -> Epoch:
        self.health.begin_epoch()
        order = self.rng.permutation(len(train.x))
        size = batch_rows(len(order), self.config.batch_size)
        starts = range(0, len(order), size)
        losses = norms = 0.0
        for i, first in enumerate(starts):
            rows = order[first : first + size]
            done = (number - 1 + i / len(starts)) / self.config.epochs
            loss, norm = self.step(train.x[rows], train.y[rows], self.config.learning_rate * self.schedule(done))
            losses += loss * len(rows)
            norms += norm
        return Epoch(number, losses / len(order), self.loss(validation), norms / len(starts))

    def step(self, x: Floats, y: Floats, rate: float) -> tuple[float, float]:
        """One step against the gradient; returns (loss, L2 norm of the gradient before clipping)."""
        z, caches = self.network.forward(x, self.rng)
        loss, dz = self.objective(z, y)
        grad = self.network.flat_gradient(dz, caches)
        norm = float(np.sqrt(np.dot(grad, grad)))
        if not np.isfinite(norm):
            self.health.nonfinite()
            raise DivergedError(
                f"the training diverged: a gradient is not finite (loss {loss:.3g}): lower training.learning_rate"
            )
        limit = self.config.gradient_clip
        clipped = bool(limit) and norm > limit
        used = grad * grad.dtype.type(limit / norm) if clipped else grad
        update = self.optimizer.update(self.network.flat, used, rate)
        self.health.observe(grad, update, self.network.flat, clipped=clipped)
        self.network.flat += update
        return loss, norm
