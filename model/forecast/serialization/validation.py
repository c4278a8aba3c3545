"""Validation of loaded predictors: types, bounds, sizes, and a test prediction.

A checksum proves that a model is stored as it was written, not that it can serve. A model that passes these checks
predicts a probability for every input that the checks try, within bounded memory and time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from model.array_types import Floats
from model.errors import SerializationError
from model.features.feature_spec import FeatureSpec
from model.features.rolling_window import MAX_LOAD_INDEX
from model.forecast.attribution import contributions
from model.forecast.blend import LoadTable
from model.forecast.ensemble import Ensemble
from model.forecast.predictor import Predictor
from model.probes import normal_probes
from model.units import DAY, HOUR

MAX_NAMES = 1000
"""Largest number of columns, windows, horizons, rules or bounds of a rule."""

MAX_FEATURES = 20_000
MAX_NETWORKS = 200
MAX_TREE_VALUES = 1_000_000
MAX_TABLE_POINTS = 10_000

MAX_WINDOW_ROWS = 1_000_000
"""Largest number of samples in the longest window; a row in memory takes about 300 bytes."""

MAX_DURATION = 100 * DAY
"""Largest horizon, window or sustained time in seconds."""

TEST_ROWS = 64
"""Number of random rows of the test prediction."""

TEST_FACTORS = (1.0, 10.0, 1e3, 1e6)
"""Distances of the test rows from the training mean, in standard deviations."""


@dataclass(frozen=True)
class Bounds:
    """Closed interval of allowed values; `low_excluded` excludes its lower end."""

    low: float
    high: float
    low_excluded: bool = False

    def check(self, name: str, values: Iterable[Any]) -> None:
        """Raise SerializationError unless every value is a number within the bounds."""
        for value in values:
            is_number = type(value) in (int, float)
            if not is_number or not (self.low <= value <= self.high) or (self.low_excluded and value == self.low):
                raise SerializationError(f"{name} is {value!r:.60}, not a number from {self.low:g} to {self.high:g}")


RATIO = Bounds(0, 1)
LOG_ODDS = Bounds(-1e3, 1e3)
WEIGHT = Bounds(-1e3, 1e3)
SECONDS = Bounds(0, MAX_DURATION, low_excluded=True)
SUSTAINED = Bounds(0, MAX_DURATION)
STEP = Bounds(0, DAY, low_excluded=True)
TIME = Bounds(-1e12, 1e12)
BOUND = Bounds(0, 1e15, low_excluded=True)
LOAD_LIMIT = Bounds(1, MAX_LOAD_INDEX)
"""Bounds of the numbers in a predictor; BOUND is that of the bounds in high-load rules."""


def check_spec(spec: FeatureSpec) -> None:
    """Check a feature specification; call it first, because its properties may need memory without limit.

    Raises:
        SerializationError: a value has an unexpected type or is out of bounds.
    """
    for name in ("columns", "inputs", "logarithmic"):
        _check_names(name, getattr(spec, name))
    if not set(spec.inputs) <= set(spec.columns) or not set(spec.logarithmic) <= set(spec.inputs):
        raise SerializationError("inputs that are no columns, or logarithmic metrics that are no inputs")
    STEP.check("step", [spec.step])
    LOAD_LIMIT.check("load_limit", [spec.load_limit])
    for name in ("windows", "horizons"):
        _check_durations(name, getattr(spec, name))
    if spec.windows[-1] / spec.step > MAX_WINDOW_ROWS:
        raise SerializationError(f"a window of {spec.windows[-1]:g} s has more than {MAX_WINDOW_ROWS} samples")
    if type(spec.seasonal) is not bool or (spec.seasonal and spec.step > HOUR):
        raise SerializationError("seasonal features need a step of at most an hour")
    _check_rules(spec)
    if len(spec.names) > MAX_FEATURES:
        raise SerializationError(f"{len(spec.names)} features, more than {MAX_FEATURES}")


def _check_rules(spec: FeatureSpec) -> None:
    rules = spec.rules
    SUSTAINED.check("sustained", [rules.sustained])
    if not 0 < len(rules.rules) <= MAX_NAMES:
        raise SerializationError(f"{len(rules.rules)} high-load rules")
    for rule in rules.rules:
        if not 0 < len(rule) <= MAX_NAMES or not {metric for metric, _ in rule} <= set(spec.columns):
            raise SerializationError("a high-load rule without bounds, or with a metric that is no column")
        BOUND.check("the bound of a high-load rule", [bound for _, bound in rule])


def _check_names(name: str, names: Sequence[Any]) -> None:
    if len(names) > MAX_NAMES or not all(isinstance(entry, str) for entry in names) or len(set(names)) < len(names):
        raise SerializationError(f"{name} are not different names")


def _check_durations(name: str, seconds: Sequence[Any]) -> None:
    """Raise SerializationError unless there are durations, and they increase."""
    if not 0 < len(seconds) <= MAX_NAMES:
        raise SerializationError(f"{len(seconds)} {name}")
    SECONDS.check(name, seconds)
    if any(later <= earlier for earlier, later in pairwise(seconds)):
        raise SerializationError(f"{name} do not increase")


def check_predictor(predictor: Predictor) -> None:
    """Check the values of a predictor whose parts fit together, and let it predict test rows.

    Raises:
        SerializationError: a value has an unexpected type or is out of bounds, or a test prediction fails.
    """
    _check_durations("horizons", predictor.horizons)
    if not set(predictor.horizons) <= set(predictor.spec.horizons):
        raise SerializationError("horizons that the features do not have")
    RATIO.check("a base rate", predictor.base_rates)
    RATIO.check("a warning threshold", predictor.thresholds)
    RATIO.check("the weight of the pretrained model", [predictor.pretrained_weight])
    TIME.check("fitted_until", [] if predictor.fitted_until is None else [predictor.fitted_until])
    for blend in predictor.blends:
        for weights in (blend.calm, blend.high):
            WEIGHT.check("a blend weight", [*weights.weights, weights.intercept])
        _check_table(blend.load_table)
    for model in predictor.persistence:
        if model is not None:
            WEIGHT.check("a persistence weight", [*model.weights.weights, model.weights.intercept, model.most])
            _check_table(model.load_table)
            _check_table(model.duration_table)
    for ensemble in (predictor.ensemble, predictor.pretrained):
        if ensemble is not None:
            _check_scaler(ensemble)
    _check_test_predictions(predictor)


def _check_table(table: LoadTable) -> None:
    if len(table.scores) > MAX_TABLE_POINTS or (np.diff(table.scores) < 0).any():
        raise SerializationError("the scores of a table do not increase")
    LOG_ODDS.check("a table value", [*table.values.tolist(), table.unknown])


def _check_scaler(ensemble: Ensemble) -> None:
    scaler = ensemble.scaler
    if len(ensemble.networks) > MAX_NETWORKS:
        raise SerializationError(f"{len(ensemble.networks)} networks, more than {MAX_NETWORKS}")
    if ensemble.encoding is not None and len(ensemble.encoding.inputs) > MAX_FEATURES:
        raise SerializationError(f"{len(ensemble.encoding.inputs)} codes, more than {MAX_FEATURES}")
    if ensemble.trees is not None and ensemble.trees.values.size > MAX_TREE_VALUES:
        raise SerializationError(f"trees of {ensemble.trees.values.size} leaves, more than {MAX_TREE_VALUES}")
    if not (scaler.deviation > 0).all():
        raise SerializationError("a standard deviation is not positive")
    if scaler.low is not None and scaler.high is not None and (scaler.low > scaler.high).any():
        raise SerializationError("a training range has its ends swapped")


def _check_test_predictions(predictor: Predictor) -> None:
    """Predict test rows and attribute one; all results must be finite, and the probabilities between 0 and 1.

    The rows are the training mean, unknown values, and random rows around the mean, in calm and in high load.
    """
    x = probe_features(predictor)
    with np.errstate(all="ignore"):
        probabilities = predictor.probabilities(x)
        attributed = [contributions(predictor, row[None]) for row in x[:2]]
        persistence = [
            model(np.array([0.0, 1.0, np.nan]), np.array([0.0, 1.0, np.nan]))
            for model in predictor.persistence
            if model
        ]
    values = [value for horizons in attributed for groups in horizons for value in groups.values()]
    for array in (probabilities, *persistence):
        if not ((array >= 0) & (array <= 1)).all():
            raise SerializationError("a test prediction is not a probability")
    if not all(map(math.isfinite, values)):
        raise SerializationError("a test attribution is not finite")


def probe_features(predictor: Predictor) -> Floats:
    """Return rows of features (rows, features), float32, on which a predictor is tested."""
    spec = predictor.spec
    features = len(spec.names)
    mean = predictor.ensemble.reference_point(features).astype(np.float64)
    deviation = np.ones(features)
    selected = predictor.ensemble.selected
    deviation[slice(None) if selected is None else selected] = predictor.ensemble.scaler.deviation
    factors = np.resize(TEST_FACTORS, TEST_ROWS)[:, None]
    random = mean + factors * deviation * normal_probes(TEST_ROWS, features)
    x = np.concatenate((mean[None], np.full((1, features), np.nan), np.zeros((1, features)), random))
    x[:, spec.column_index["load_index:state"]] = np.arange(len(x)) % 2
    limit = float(np.finfo(np.float32).max) / 2
    return np.asarray(np.clip(x, -limit, limit), dtype=np.float32)
