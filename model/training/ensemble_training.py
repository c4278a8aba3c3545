"""Training the networks of an ensemble."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Floats, Integers
from model.nn.data import Examples
from model.nn.diagnostics.fit_report import Epoch, FitReport
from model.nn.layers import Linear
from model.nn.losses import BCEWithLogits
from model.nn.network import Network, mlp
from model.nn.training import fit, initialize_output_bias
from model.training.settings import Recipe

OTHER_DAYS = ("yesterday", "past_days")
"""Groups of features about other days."""

PLAIN = ("last", "state", "mean", "max")
"""What the smallest networks see of the load, beside other days; of other metrics they see nothing."""

PRACTICE_WEIGHT = 0.3
"""How much a label of a lesser event counts beside one of high load."""

SMALL = 0.25
"""Share of the configured units that the smallest networks have."""

START = 0.7
"""What the starting weights are scaled by: a quieter start is less sure of what it has not seen."""

FEWEST = 20
"""Labels of each class that a lesser event must have to be worth learning."""


@dataclass(frozen=True)
class View:
    """What a network looks at: features by number; and what share of the configured units it has."""

    columns: Integers
    units: float = 1.0


def views(names: Sequence[str], *, other_days: bool) -> tuple[View, ...]:
    """What the networks look at, in turns.

    One sees the recent past, one yesterday beside it, one the past days; a small one sees the load alone, on all
    days, and so has little room to take chance for a rule.

    Args:
        names: of the features.
        other_days: whether the history is long enough to learn from yesterday.
    """
    parts = [name.split(":") for name in names]
    plain = {i for i, part in enumerate(parts) if part[0] == "load_index" and part[1] in PLAIN}
    days = {group: {i for i, part in enumerate(parts) if part[0] == group} for group in OTHER_DAYS}
    # the mean of a day is not of the recent past either
    long = {i for i, part in enumerate(parts) if part[-1] == "24h"}
    recent = set(range(len(names))) - days["yesterday"] - days["past_days"] - long
    if not other_days:
        return View(_in_order(recent)), View(_in_order(plain), SMALL)
    recent |= long
    return (
        View(_in_order(recent)),
        View(_in_order(recent | days["yesterday"])),
        View(_in_order(recent | days["past_days"])),
        View(_in_order(plain | days["yesterday"] | days["past_days"]), SMALL),
    )


def _in_order(columns: set[int]) -> Integers:
    return np.array(sorted(columns), dtype=np.intp)


def fit_ensemble(
    seen: Sequence[View],
    parts: tuple[Examples, Examples | None],
    outputs: int,
    recipe: Recipe,
    epochs: Sequence[int],
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None],
) -> tuple[tuple[tuple[Network, ...], tuple[Integers, ...]], tuple[FitReport, ...]]:
    """Fits each network on its own view.

    Args:
        seen: the `views`.
        parts: what to learn from, and what to stop by (None goes through all epochs); scaled features, and labels of
            which the first `outputs` are what is predicted, the others practice.
        outputs: how many labels are predicted.
        recipe: what networks.
        epochs: of each network, at most.
        rng: the only randomness.
        on_epoch: told of each epoch; `number` counts those of all networks.

    Returns:
        The networks and what each sees, as an `Ensemble` takes them, and how each training went.
    """
    train, validation = parts
    worthwhile = _learnable(train.y, outputs)
    train = Examples(train.x, train.y[:, worthwhile])
    validation = None if validation is None else Examples(validation.x, validation.y[:, worthwhile])
    practice = len(worthwhile) - outputs
    loss = BCEWithLogits(output_weights=(1.0,) * outputs + (PRACTICE_WEIGHT,) * practice)
    networks, columns, reports = [], [], []
    for i, most in enumerate(epochs):
        view = seen[i % len(seen)]
        done = sum(epochs[:i])
        units = (max(1, round(view.units * n)) for n in recipe.layers)
        shape = (len(view.columns), *units, len(worthwhile))
        network = mlp(shape, rng, activation=recipe.activation, dropout=recipe.dropout)
        network.flat[: network.weight_count] *= START
        initialize_output_bias(network, loss, train.y)
        report = fit(
            network,
            loss,
            Examples(np.ascontiguousarray(train.x[:, view.columns]), train.y),
            None
            if validation is None
            else Examples(np.ascontiguousarray(validation.x[:, view.columns]), validation.y),
            replace(recipe.fit, epochs=most, batch_size=batch_rows(len(train.x), recipe.fit.batch_size)),
            rng,
            lambda epoch, done=done: on_epoch(epoch._replace(number=done + epoch.number)),  # type: ignore[misc]
        )
        networks.append(without_practice(network, outputs))
        columns.append(view.columns)
        reports.append(report)
    return (tuple(networks), tuple(columns)), tuple(reports)


def _narrowed(examples: Examples, view: View) -> Examples:
    """Return the examples with the inputs of the view alone."""
    return Examples(np.ascontiguousarray(examples.x[:, view.columns]), examples.y)


def batch_rows(rows: int, most: int) -> int:
    """Rows a step: as configured, but so few that a short history still gives some fifty steps an epoch."""
    return max(1, min(most, max(16, rows // 50)))


def without_practice(network: Network, outputs: int) -> Network:
    """The same network with its first outputs alone."""
    *layers, last = network.layers
    if not isinstance(last, Linear):
        raise TypeError("a network ends with a Linear layer")
    return Network([*layers, Linear(last.weight[:, :outputs], last.bias[:outputs])])


def _learnable(y: Floats, outputs: int) -> list[int]:
    """The labels that are predicted, and those for practice of which there are enough of both kinds."""
    rows = (y == 1).sum(axis=0), (y == 0).sum(axis=0)
    enough = np.minimum(*rows) >= FEWEST
    return [i for i in range(y.shape[1]) if i < outputs or enough[i]]
