"""Checkpoint: state of a training run after a completed epoch, and its serialization."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.array_types import Floats
from model.errors import InputError, InputProblem, SerializationError
from model.nn.diagnostics.fit_report import Epoch
from model.nn.diagnostics.gradient_statistics import StatisticsState
from model.nn.layers import Layer
from model.nn.network import Network
from model.nn.optimizers import Optimizer, OptimizerState
from model.nn.serialization import FORMAT
from model.npz import pack, unpack

KIND = "checkpoint"
"""Value of `kind` in the header of a serialized checkpoint."""

OPTIMIZER = "optimizer."
"""Prefix of the optimizer's array names in a serialized checkpoint."""

SCRATCH = "step"
"""Name of a scratch array of SGD and RMSprop in older checkpoints; it is ignored."""


@dataclass(frozen=True)
class Checkpoint:
    """State of a training run before the first epoch or after a completed epoch; it shares no array with the run.

    Attributes:
        signature: settings that must be equal in a resumed training run, as text by name.
        parameters: (parameters,) after the last completed epoch.
        kept_parameters: (parameters,) after the kept epoch; initial parameters if no epoch is completed.
        optimizer: state of the optimizer.
        epochs: results of the completed epochs.
        kept_index: index of the kept epoch in `epochs`.
        initial_loss: training loss before the first step.
        statistics: state of the gradient statistics.
        generator: `state` of NumPy's bit generator.
    """

    signature: dict[str, str]
    parameters: Floats
    kept_parameters: Floats
    optimizer: OptimizerState
    epochs: tuple[Epoch, ...]
    kept_index: int
    initial_loss: float
    statistics: StatisticsState
    generator: Mapping[str, Any]

    def check(self, signature: Mapping[str, str], network: Network, optimizer: Optimizer) -> None:
        """Check that a training run can resume from this checkpoint.

        Args:
            signature: `training_signature` of the training run.
            network: network of the training run.
            optimizer: optimizer of the training run.

        Raises:
            InputError: a setting differs, an array has the wrong size or dtype or is not finite, or the checkpoint is
                inconsistent.
        """
        for name, value in signature.items():
            saved = self.signature.get(name, "missing")
            if saved != value:
                raise InputError(
                    f"checkpoint: {name} is {saved} in the checkpoint and {value} in this training run",
                    InputProblem.CHECKPOINT,
                )
        arrays = {"parameters": self.parameters, "kept_parameters": self.kept_parameters, **self.optimizer.arrays}
        for name, array in arrays.items():
            _check_array(name, array, network.flat)
        consistent = (
            self.optimizer.names == (optimizer.state_names if self.epochs else frozenset()),
            self.optimizer.steps >= 0,
            0 <= self.kept_index < max(1, len(self.epochs)),
            self.statistics.sums.shape == (4, len(network.names)),
            min(self.statistics.counts) >= 0,
        )
        if not all(consistent):
            raise InputError("checkpoint: inconsistent content", InputProblem.CHECKPOINT)

    def restore_generator(self, rng: np.random.Generator) -> None:
        """Set a random generator to the saved state.

        Raises:
            InputError: the saved state is invalid, or belongs to a bit generator of another class.
        """
        try:
            rng.bit_generator.state = self.generator
        except (KeyError, TypeError, ValueError) as error:
            message = f"checkpoint: invalid state of the random generator: {error!r}"
            raise InputError(message, InputProblem.CHECKPOINT) from error


def training_signature(settings: Mapping[str, Any], network: Network) -> dict[str, str]:
    """Return the settings that must be equal in a resumed training run, as text by name.

    Args:
        settings: loss, shapes of the examples, optimizer and the fields of the FitConfig; the result omits
            `epochs` and `patience`.
        network: network of the training run; its layers and their settings are added.
    """
    layers = [f"{type(layer).__name__}{_layer_settings(layer)}" for layer in network.layers]
    fixed = {name: value for name, value in settings.items() if name not in {"epochs", "patience"}}
    return {name: str(value) for name, value in {"layers": layers, **fixed}.items()}


def dump_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Serialize a checkpoint with the keys of release 0.1, whose checkpoints remain loadable."""
    arrays = {"weights": checkpoint.parameters, "kept": checkpoint.kept_parameters}
    arrays |= {OPTIMIZER + name: value for name, value in checkpoint.optimizer.arrays.items()}
    facts = {
        "made_with": checkpoint.signature,
        "optimizer": {"steps": checkpoint.optimizer.steps} if checkpoint.optimizer.steps else {},
        "epochs": [list(epoch) for epoch in checkpoint.epochs],
        "best": checkpoint.kept_index,
        "start": checkpoint.initial_loss,
        "health": {"sums": checkpoint.statistics.sums, "counts": checkpoint.statistics.counts},
        "random": checkpoint.generator,
    }
    return pack({"format": FORMAT, "kind": KIND, "facts": _to_json(facts)}, arrays)


def load_checkpoint(blob: bytes) -> Checkpoint:
    """Deserialize a checkpoint.

    Raises:
        SerializationError: the bytes are not a serialized checkpoint, or it is damaged or has a newer format.
    """
    header, arrays = unpack(blob, KIND, FORMAT)
    try:
        facts = header["facts"]
        optimizer_arrays = {
            name.removeprefix(OPTIMIZER): value
            for name, value in arrays.items()
            if name.startswith(OPTIMIZER) and name != OPTIMIZER + SCRATCH
        }
        return Checkpoint(
            signature={str(name): str(value) for name, value in facts["made_with"].items()},
            parameters=arrays["weights"],
            kept_parameters=arrays["kept"],
            optimizer=OptimizerState(optimizer_arrays, int(facts["optimizer"].get("steps", 0))),
            epochs=tuple(_epoch(values) for values in facts["epochs"]),
            kept_index=int(facts["best"]),
            initial_loss=float(facts["start"]),
            statistics=_statistics(facts["health"]),
            generator=dict(facts["random"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SerializationError(f"not a {KIND} of monitor: {error!r}") from error


def _epoch(values: list[Any]) -> Epoch:
    number, *figures = values
    train_loss, validation_loss, gradient_norm = (math.nan if value is None else float(value) for value in figures)
    return Epoch(int(number), train_loss, validation_loss, gradient_norm)


def _statistics(facts: dict[str, Any]) -> StatisticsState:
    epoch_steps, updates, steps, clipped, nonfinite = (int(count) for count in facts["counts"])
    return StatisticsState(np.array(facts["sums"], np.float64), (epoch_steps, updates, steps, clipped, nonfinite))


def _layer_settings(layer: Layer) -> list[object]:
    return [value for value in vars(layer).values() if not isinstance(value, np.ndarray)]


def _check_array(name: str, array: Floats, flat: Floats) -> None:
    if array.shape != flat.shape or array.dtype != flat.dtype:
        difference = f"{array.size} {array.dtype} numbers, the network has {flat.size} {flat.dtype} parameters"
        raise InputError(f"checkpoint: {name} has {difference}", InputProblem.CHECKPOINT)
    if not np.isfinite(array).all():
        raise InputError(f"checkpoint: {name} contains numbers that are not finite", InputProblem.CHECKPOINT)


def _to_json(value: Any) -> Any:
    """Convert a value to JSON data: arrays to lists, NaN to null."""
    if isinstance(value, Mapping):
        return {key: _to_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(entry) for entry in value]
    if isinstance(value, np.ndarray | np.generic):
        return _to_json(value.tolist())
    return None if isinstance(value, float) and math.isnan(value) else value
