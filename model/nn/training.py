"""Fitting a network: mini-batches, early stopping on later data, and a stop before it runs away.

`Training.run` reads from top to bottom as what training is; what it saw of itself comes back as a report.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from model.array_types import Floats, Integers, aligned_zeros
from model.errors import DivergedError, InputError
from model.nn.checkpoint import Checkpoint, checked_checkpoint, made_with, take
from model.nn.clipping import clip_norm, clip_value
from model.nn.data import Examples, checked
from model.nn.diagnostics.fit_report import Epoch, FitReport
from model.nn.diagnostics.gradient_health import not_learning
from model.nn.diagnostics.gradient_statistics import GradientStatistics
from model.nn.fit_config import FitConfig
from model.nn.losses import Loss, Targets
from model.nn.network import Network
from model.nn.regularizers import Penalty
from model.nn.train_step import Batch

__all__ = ["Checkpoint", "Epoch", "Examples", "FitReport", "Training", "fit", "initialize_output_bias"]

START_ROWS = 1024
"""Rows at most on which the loss before the first step is measured."""

MOST_NONFINITE = 10
"""Steps without a finite gradient that are left out before a training counts as diverged."""

REMEDY = "lower the learning rate (training.learning_rate), or scale the inputs"


def fit(
    network: Network,
    loss: Loss,
    train: Examples,
    validation: Examples | None,
    config: FitConfig,
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> FitReport:
    """Fits `network` in place; it ends with the weights of the epoch that was best on `validation`.

    See `Training`, which this runs once.
    """
    return Training(network, loss, train, validation, config, rng).run(on_epoch)


class Training:
    """One fit, that can be left between epochs and taken up again.

    Args:
        network: fitted in place.
        loss: what is made small.
        train: what the weights follow; arrays of the network's dtype are used as they are, others copied.
        validation: rows that decide when to stop and which epoch is kept; None keeps the last.
        config: how.
        rng: order and dropout; the same generator, start and data give the same bytes.

    Raises:
        InputError: settings without sense; arrays that do not fit each other or the network, or hold infinities;
            labels that the loss does not know, of which none is known, or of one class alone.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        train: Examples,
        validation: Examples | None,
        config: FitConfig,
        rng: np.random.Generator,
    ) -> None:
        self.network, self.loss, self.config, self.rng = network, loss, config, rng
        config.check()
        if not network.flat.size:
            raise InputError("the network has no parameters: there is nothing to fit")
        self._x, self._y = checked(network, loss, train, "training")
        alone = loss.single(np.asarray(train.y))
        if alone is not None:
            raise InputError(f"training labels: only one class in output {alone}; there is nothing to tell apart")
        self._validation = None if validation is None else checked(network, loss, validation, "validation")
        self._gradient: Floats = aligned_zeros(network.flat.size, network.flat.dtype)
        self._plan = self._planned(min(config.batch_size, len(self._x)))
        self._logits: Floats = np.empty(self._y.values.shape, network.flat.dtype)
        self._health = GradientStatistics(network, self._gradient)
        self._optimizer = config.new_optimizer(network.weight_count)
        self._schedule = config.new_schedule()
        self._clips = bool(config.gradient_clip or config.gradient_clip_value)
        self._penalty = Penalty(config.l1, config.l2) if config.l1 or config.l2 else None
        self._epochs: list[Epoch] = []
        self._losses: list[float] = []
        self._origin = network.flat.copy()
        self._kept, self._best = network.flat.copy(), 0
        # the weights between two epochs, while the network holds the best ones
        self._left: Floats | None = network.flat.copy()
        self._start = self._loss_of_some()

    def run(self, on_epoch: Callable[[Epoch], None] = lambda _: None) -> FitReport:
        """Trains to the end.

        Args:
            on_epoch: told of each epoch; what it raises stops the training. It may take a `checkpoint`.

        Raises:
            DivergedError: losses or gradients stopped being finite, or ended far above where they began. The network
                then has the best weights so far.
        """
        if self._left is None:
            raise InputError("this training was ended inside an epoch: take up a checkpoint")
        self.network.flat[:] = self._left
        # Overflow on the way to a divergence is found by looking at norms and losses, with words that help.
        with np.errstate(over="ignore", invalid="ignore"):
            try:
                while not self._ended():
                    self._left = None
                    epoch = self._epoch(len(self._epochs) + 1)
                    self._stop_if_diverged(epoch)
                    self._left = self.network.flat.copy()
                    self._take(epoch)
                    on_epoch(epoch)
                if self._validation is None:
                    self._stop_if_last_step_diverged()
            finally:
                self.network.flat[:] = self._kept
            return self._report()

    def checkpoint(self) -> Checkpoint:
        """The training as it stands between two epochs; copies.

        Raises:
            InputError: it was ended inside an epoch.
        """
        if self._left is None:
            raise InputError("this training was ended inside an epoch: there is nothing to take up")
        return take(
            self._made_with(),
            self.network.flat.dtype,
            {"weights": self._left, "kept": self._kept},
            self._optimizer.state,
            {
                "epochs": [list(epoch) for epoch in self._epochs],
                "best": self._best,
                "start": self._start,
                "health": self._health.state(),
                "random": self.rng.bit_generator.state,
            },
        )

    def resume(self, checkpoint: Checkpoint) -> None:
        """Goes on where `checkpoint` was taken: with the same data and settings, to the same bytes.

        Only `epochs` and `patience` may have changed, to train for longer or shorter.

        Raises:
            InputError: it is of another training, or damaged; this one is as it was.
        """
        found = checked_checkpoint(checkpoint, self._made_with(), self.network, self._optimizer.remembers)
        try:
            epochs = [Epoch(int(number), *map(float, rest)) for number, *rest in found.epochs]
            self.rng.bit_generator.state = found.random
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"checkpoint: not one of this kind of training: {error!r}") from error
        self._optimizer.state = found.optimizer
        self._health.restore(found.health)
        self._epochs, self._losses = epochs, [self._watched(epoch) for epoch in epochs]
        self._best, self._start = found.best, found.start
        self._left, self._kept[:] = found.weights, found.kept
        self.network.flat[:] = self._kept

    def _made_with(self) -> dict[str, str]:
        data = [self._x.shape, self._y.values.shape, None if self._validation is None else self._validation[0].shape]
        config = {**vars(self.config), "optimizer": self._optimizer}
        return made_with({"loss": self.loss, "data": data, **config}, self.network)

    def _ended(self) -> bool:
        done = len(self._epochs)
        waited = done - 1 - self._best
        return done >= self.config.epochs or (0 < self.config.patience <= waited)

    def _stop_if_diverged(self, epoch: Epoch) -> None:
        flat = self.network.flat
        sound = math.isfinite(self._watched(epoch)) and math.isfinite(flat.dot(flat))
        if not sound or not self._near_start(epoch.train_loss):
            raise DivergedError(
                f"the training diverged in epoch {epoch.number} (loss {epoch.train_loss:.3g}, "
                f"at its start {self._start:.3g}): {REMEDY}"
            )

    def _stop_if_last_step_diverged(self) -> None:
        """The loss of an epoch is of its steps before their updates: nothing has looked at the last one yet."""
        loss = self._loss_of_some()
        if not self._near_start(loss):
            self._kept[:], self._left = self._origin, None
            raise DivergedError(
                f"the training diverged in its last step (loss {loss:.3g}, at its start {self._start:.3g}): {REMEDY}"
            )

    def _near_start(self, loss: float) -> bool:
        return loss <= 10 * max(self._start, 0.1)

    def _take(self, epoch: Epoch) -> None:
        """Notes an epoch, and its weights if they are the best so far."""
        self._epochs.append(epoch)
        self._losses.append(self._watched(epoch))
        if (
            epoch.number == 1
            or self._validation is None
            or not self.config.keep_best
            or epoch.validation_loss < self._epochs[self._best].validation_loss
        ):
            self._kept[:], self._best = self.network.flat, epoch.number - 1

    def _epoch(self, number: int) -> Epoch:
        self._health.begin_epoch()
        self._schedule.begin_epoch(self._losses)
        plan, steps, epochs = self._plan, len(self._plan), self.config.epochs
        # one batch of all rows needs no order
        order = self.rng.permutation(len(self._x)) if steps > 1 else None
        y = self._y if order is None else self._y.take(order)
        factor, most = self._schedule.factor, self.config.learning_rate
        norms = 0.0
        for i, (here, batch) in enumerate(plan):
            rate = most * factor((number - 1 + i / steps) / epochs)
            norms += self._step(here, batch, order, y, rate)
        validation = math.nan
        if self._validation is not None:
            x, labels = self._validation
            validation = self.loss.value(self.network.predict(x), labels)
        return Epoch(number, self.loss.value(self._logits, y), validation, norms / steps)

    def _planned(self, size: int) -> list[tuple[slice, Batch]]:
        """The rows of each step of an epoch, in its order, and the memory for as many."""
        rows, batches, plan = len(self._x), {}, []
        for first in range(0, rows, size):
            here = slice(first, min(first + size, rows))
            n = here.stop - first
            if n not in batches:
                # one batch of all rows is never gathered
                x = self._x if n == rows else np.empty((n, self._x.shape[1]), self._x.dtype)
                batches[n] = Batch(self.network, self.loss, self._gradient, x, self.rng)
            plan.append((here, batches[n]))
        return plan

    def _step(self, here: slice, batch: Batch, order: Integers | None, y: Targets, rate: float) -> float:
        """One step against the gradient; returns the gradient's L2 norm before clipping."""
        network, gradient, health = self.network, self._gradient, self._health
        if order is not None:
            self._x.take(order[here], 0, batch.x, "clip")
        self._logits[here] = batch.step(y, here)
        if self._penalty is not None:
            self._penalty.add_gradient(network.flat[: network.weight_count], gradient[: network.weight_count])
        norm = health.norm()
        if not math.isfinite(norm):
            health.nonfinite()
            if health.nonfinite_steps > MOST_NONFINITE:
                raise DivergedError(f"the training diverged: gradients are not finite: {REMEDY}")
            return 0.0
        if self._clips and self._clip(norm):
            health.clipped()
        step = self._optimizer.update(network.flat, gradient, rate)
        if health.wants_update:
            health.update(step)
        np.add(network.flat, step, network.flat)
        return norm

    def _clip(self, norm: float) -> bool:
        gradient, config = self._gradient, self.config
        if clip_value(gradient, config.gradient_clip_value):
            clip_norm(gradient, math.sqrt(gradient.dot(gradient)), config.gradient_clip)
            return True
        return clip_norm(gradient, norm, config.gradient_clip)

    def _watched(self, epoch: Epoch) -> float:
        return epoch.train_loss if self._validation is None else epoch.validation_loss

    def _loss_of_some(self) -> float:
        some = slice(None, None, max(1, -(-len(self._x) // START_ROWS)))
        return self.loss.value(self.network.predict(self._x[some]), self._y.take(some))

    def _report(self) -> FitReport:
        shown = self._x if self._validation is None else self._validation[0]
        config = self.config
        # where nothing is left to learn a gradient is small by right
        learned = bool(self._losses) and self._epochs[-1].train_loss <= 1e-6 * self._start
        vanishing = 0.0 if learned else config.vanishing_gradient
        health = self._health.result(shown, vanishing, config.exploding_gradient)
        stuck = not_learning([epoch.train_loss for epoch in self._epochs], self._start, config.epochs)
        if stuck:
            health = replace(health, advice=(stuck, *health.advice))
        return FitReport(tuple(self._epochs), self._best + 1, health)


def initialize_output_bias(network: Network, loss: Loss, y: Floats) -> None:
    """Begins where the share of events is already right, so that no step is spent on learning it."""
    start = loss.start(y)
    if start is not None:
        network.parameters()[network.names[-1]][...] = start
