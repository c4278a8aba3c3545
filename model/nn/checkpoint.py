"""A training between two epochs, as arrays and facts that JSON can hold."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.array_types import Floats
from model.errors import InputError
from model.nn.layers import Layer
from model.nn.network import Network
from model.nn.optimizers import State


@dataclass(frozen=True)
class Checkpoint:
    """Arrays by name, and what JSON can hold."""

    arrays: dict[str, Floats]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What a checkpoint holds, checked."""

    weights: Floats
    kept: Floats
    optimizer: State
    epochs: list[list[float]]
    best: int
    start: float
    health: dict[str, Any]
    random: dict[str, Any]


def made_with(settings: Mapping[str, Any], network: Network) -> dict[str, str]:
    """What must be the same for a resumed training to go on as if nothing had been: all but how long it lasts."""
    layers = [f"{type(layer).__name__}{_settings(layer)}" for layer in network.layers]
    made = {name: value for name, value in settings.items() if name not in {"epochs", "patience"}}
    return {name: str(value) for name, value in {"layers": layers, **made}.items()}


def take(
    made_with: dict[str, str], dtype: Any, weights: dict[str, Floats], optimizer: State, facts: dict[str, Any]
) -> Checkpoint:
    """A checkpoint of copies.

    Args:
        made_with: what must be the same where it is taken up.
        dtype: of the network.
        weights: by name.
        optimizer: what it remembers.
        facts: the rest.
    """
    arrays = {name: value.copy() for name, value in weights.items()}
    remembered = {name: value for name, value in optimizer.items() if isinstance(value, np.ndarray)}
    arrays |= {f"optimizer.{name}": value.astype(dtype) for name, value in remembered.items()}
    numbers = {name: value for name, value in optimizer.items() if name not in remembered}
    return Checkpoint(arrays, _plain({**facts, "made_with": made_with, "optimizer": numbers}))


def checked_checkpoint(
    checkpoint: Checkpoint, made_with: dict[str, str], network: Network, remembers: frozenset[str]
) -> Found:
    """What a checkpoint holds.

    Raises:
        InputError: it is of another training, or does not hold together.
    """
    facts = copy.deepcopy(checkpoint.facts)
    try:
        for name, now in made_with.items():
            if facts["made_with"][name] != now:
                raise InputError(f"checkpoint: {name} was {facts['made_with'][name]}, and is {now} here")
        arrays = {name: _fitting(name, value, network) for name, value in checkpoint.arrays.items()}
        own = {name.partition(".")[2]: value for name, value in arrays.items() if name.startswith("optimizer.")}
        state = own | facts["optimizer"]
        epochs = [[math.nan if value is None else value for value in epoch] for epoch in facts["epochs"]]
        best, start, health = facts["best"], float(facts["start"]), facts["health"]
        sums = [len(network.names)] * 4
        holds = (
            set(state) == (remembers if epochs else set()),
            all(isinstance(value, np.ndarray) or (isinstance(value, int) and value >= 0) for value in state.values()),
            isinstance(best, int) and 0 <= best < max(1, len(epochs)),
            [len(values) for values in health["sums"]] == sums,
            all(isinstance(value, int) and value >= 0 for value in health["counts"]),
            len(health["counts"]) == 5,
            all(len(epoch) == 4 for epoch in epochs),
        )
        if not all(holds):
            raise InputError("checkpoint: it does not hold together")
        return Found(arrays["weights"], arrays["kept"], state, epochs, best, start, health, facts["random"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"checkpoint: not one of this kind of training: {error!r}") from error


def _settings(layer: Layer) -> list[object]:
    return [value for value in vars(layer).values() if not isinstance(value, np.ndarray)]


def _fitting(name: str, value: Floats, network: Network) -> Floats:
    flat = network.flat
    if value.shape != flat.shape or value.dtype != flat.dtype:
        raise InputError(
            f"checkpoint: {name} has {value.size} numbers of {value.dtype}, the network {flat.size} of {flat.dtype}"
        )
    if not np.isfinite(value).all():
        raise InputError(f"checkpoint: {name} holds numbers that are not finite")
    return value.copy()


def _plain(value: Any) -> Any:
    """The same as JSON can hold it: lists for arrays, null for what is not a number."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    return None if isinstance(value, float) and math.isnan(value) else value
