"""Ensemble training: fit the plain and the encoded networks of an ensemble."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Floats, Integers
from model.features.encoding import Encoding
from model.nn.data import Examples
from model.nn.diagnostics.fit_report import Epoch, FitReport
from model.nn.diagnostics.gradient_health import prefixed
from model.nn.initializers import initialize_output_bias
from model.nn.layers import Linear
from model.nn.losses import BCEWithLogits
from model.nn.network import Network, mlp
from model.nn.training import fit
from model.training.settings import Recipe

SIMPLE_STATISTICS = ("last", "state", "mean", "max")
"""Load-index statistics among the inputs of the small networks."""

AUXILIARY_WEIGHT = 0.3
"""Loss weight of an auxiliary label relative to a high-load label."""

SMALL_NETWORK = 0.25
"""Size of a small network, as a fraction of the recipe's hidden units."""

INITIAL_SCALE = 0.7
"""Factor on the initial weights: smaller weights make a network less confident on unseen data."""

MIN_CLASS_ROWS = 20
"""Smallest number of rows of each class for training on an auxiliary label."""

ENCODED = "encoded."
"""Prefix of the names of parameters and layers of encoded networks in training reports."""

MIN_BATCH_ROWS = 16
STEPS_PER_EPOCH = 50
"""Batch size limits: a short history has smaller batches, to reach STEPS_PER_EPOCH, but not below MIN_BATCH_ROWS."""


@dataclass(frozen=True)
class FeatureSubset:
    """Inputs and size of one network.

    Attributes:
        columns: positions of the features, and of their codes for an encoded network.
        units: fraction of the recipe's hidden units.
        encoded: True for an encoded network.
    """

    columns: Integers
    units: float = 1.0
    encoded: bool = False


def network_inputs(
    subsets: Sequence[FeatureSubset], encoding: Encoding, features: int, recipe: Recipe
) -> tuple[FeatureSubset, ...]:
    """Return the inputs of each network: the subsets in turn for plain networks, everything for encoded networks.

    A single network has the features of all subsets.

    Args:
        subsets: feature subsets of plain networks.
        encoding: codes, whose positions follow those of the features.
        features: number of features.
        recipe: numbers of networks.
    """
    if recipe.networks == 1:
        return (FeatureSubset(used_columns(subsets)),)
    plain = tuple(subsets[i % len(subsets)] for i in range(recipe.networks - recipe.encoded_networks))
    everything = np.concatenate((used_columns(subsets), features + np.arange(len(encoding.inputs))))
    return plain + (FeatureSubset(everything, encoded=True),) * recipe.encoded_networks


def used_columns(subsets: Sequence[FeatureSubset]) -> Integers:
    """Return the positions of the features in any of the subsets, increasing."""
    return np.unique(np.concatenate([subset.columns for subset in subsets]))


def feature_subsets(names: Sequence[str], *, previous_days: bool) -> tuple[FeatureSubset, ...]:
    """Return the feature subsets, which are assigned to the plain networks of an ensemble in turn.

    With features of previous days, the subsets are:

    1. recent features
    2. recent features and past days
    3. load-index statistics, yesterday and past days, for a small network, which overfits less

    Otherwise, the subsets are 1 and 3, and the only inputs of 3 are load-index statistics.

    Args:
        names: feature names in column order, such as "load_index:last".
        previous_days: False if the history is too short for features of previous days.
    """
    yesterday = _columns_where(names, lambda group, *_: group == "yesterday")
    past_days = _columns_where(names, lambda group, *_: group == "past_days")
    # Features relative to the mean of the last 24 hours need previous days, too.
    daily_means = _columns_where(names, lambda *parts: parts[-1] == "24h")
    simple = _columns_where(names, lambda group, name, *_: group == "load_index" and name in SIMPLE_STATISTICS)
    recent = set(range(len(names))) - yesterday - past_days - daily_means
    if not previous_days:
        return FeatureSubset(_sorted(recent)), FeatureSubset(_sorted(simple), SMALL_NETWORK)
    recent |= daily_means
    return (
        FeatureSubset(_sorted(recent)),
        FeatureSubset(_sorted(recent | past_days)),
        FeatureSubset(_sorted(simple | yesterday | past_days), SMALL_NETWORK),
    )


def _columns_where(names: Sequence[str], condition: Callable[..., bool]) -> set[int]:
    """Return the positions of the features that meet a condition.

    Args:
        names: feature names in column order.
        condition: receives the colon-separated parts of a name as arguments.
    """
    return {i for i, name in enumerate(names) if condition(*name.split(":"))}


def _sorted(columns: set[int]) -> Integers:
    return np.array(sorted(columns), dtype=np.intp)


@dataclass(frozen=True)
class FittedNetworks:
    """Fitted networks of an ensemble.

    Attributes:
        networks: networks without auxiliary outputs.
        columns: positions of the inputs of each network.
        reports: fit report of each network; names of encoded networks have the prefix ENCODED.
    """

    networks: tuple[Network, ...]
    columns: tuple[Integers, ...]
    reports: tuple[FitReport, ...]


def fit_networks(
    inputs: Sequence[FeatureSubset],
    parts: tuple[Examples, Examples | None],
    outputs: int,
    recipe: Recipe,
    epochs: Sequence[int],
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None],
) -> FittedNetworks:
    """Fit the networks of a recipe.

    Args:
        inputs: inputs and size of each network.
        parts: training rows and validation rows (None to run all epochs), with scaled features and their codes; the
            first `outputs` labels are predicted, the others are auxiliary.
        outputs: number of predicted labels.
        recipe: architecture and fit settings.
        epochs: largest number of epochs of each network.
        rng: the only source of randomness.
        on_epoch: called after each epoch; `Epoch.number` counts the epochs of all networks.

    Raises:
        DivergedError: a fit diverged.
    """
    train, validation = parts
    labels = _learnable_labels(train.y, outputs)
    train = Examples(train.x, train.y[:, labels])
    validation = None if validation is None else Examples(validation.x, validation.y[:, labels])
    weights = (1.0,) * outputs + (AUXILIARY_WEIGHT,) * (len(labels) - outputs)
    loss = BCEWithLogits(output_weights=weights)
    networks = []
    columns = []
    reports = []
    for i, (subset, config, max_epochs) in enumerate(zip(inputs, recipe.fits, epochs, strict=True)):
        batch_size = batch_rows(len(train.x), config.batch_size)
        network = _new_network(subset, len(labels), recipe, rng)
        initialize_output_bias(network, loss, train.y)
        report = fit(
            network,
            loss,
            _select(train, subset),
            None if validation is None else _select(validation, subset),
            replace(config, epochs=max_epochs, batch_size=batch_size),
            rng,
            offset_epochs(on_epoch, sum(epochs[:i])),
        )
        networks.append(without_auxiliary(network, outputs))
        columns.append(subset.columns)
        reports.append(replace(report, health=prefixed(report.health, ENCODED)) if subset.encoded else report)
    return FittedNetworks(tuple(networks), tuple(columns), tuple(reports))


def offset_epochs(on_epoch: Callable[[Epoch], None], offset: int) -> Callable[[Epoch], None]:
    """Return a callback that adds an offset to the epoch number before it calls `on_epoch`."""
    return lambda epoch: on_epoch(epoch._replace(number=offset + epoch.number))


def batch_rows(rows: int, largest: int) -> int:
    """Return the batch size: rows / STEPS_PER_EPOCH, at least MIN_BATCH_ROWS and at most `largest`."""
    return max(1, min(largest, max(MIN_BATCH_ROWS, rows // STEPS_PER_EPOCH)))


def without_auxiliary(network: Network, outputs: int) -> Network:
    """Return the network with the first `outputs` outputs only.

    Raises:
        TypeError: the last layer is not Linear.
    """
    *layers, last = network.layers
    if not isinstance(last, Linear):
        raise TypeError("a network ends with a Linear layer")
    return Network([*layers, Linear(last.weight[:, :outputs], last.bias[:outputs])])


def _new_network(subset: FeatureSubset, outputs: int, recipe: Recipe, rng: np.random.Generator) -> Network:
    """Create the network of a feature subset, with random weights scaled by INITIAL_SCALE."""
    layers = recipe.layers[:1] if subset.encoded else recipe.layers
    units = (max(1, round(subset.units * n)) for n in layers)
    sizes = (len(subset.columns), *units, outputs)
    network = mlp(sizes, rng, activation=recipe.activation, dropout=recipe.dropout)
    network.flat[: network.weight_count] *= INITIAL_SCALE
    return network


def _select(examples: Examples, subset: FeatureSubset) -> Examples:
    if len(subset.columns) == examples.x.shape[1]:
        return examples
    return Examples(np.ascontiguousarray(examples.x[:, subset.columns]), examples.y)


def _learnable_labels(y: Floats, outputs: int) -> list[int]:
    """Return the positions of predicted labels and learnable auxiliary labels.

    An auxiliary label is learnable if it has at least MIN_CLASS_ROWS rows of each class.
    """
    positive = (y == 1).sum(axis=0)
    negative = (y == 0).sum(axis=0)
    enough = np.minimum(positive, negative) >= MIN_CLASS_ROWS
    return [i for i in range(y.shape[1]) if i < outputs or enough[i]]
