"""From a history to a candidate that can be judged: the offline road in one function.

First a rehearsal: networks learn from the first four fifths of the past and are calibrated and marked on the last
one, which they have not seen. Then the same is done over all of it, and that is what serves: the newest days are too
good to only be judged on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.arrays import Floats, Integers
from model.baselines import SMOOTHING, binned, seasonal_forecasts
from model.bins import bin_width
from model.calibration import fit_mix, levelled
from model.committee import fit_ensemble, together, views
from model.dataset import CHUNK_ROWS, Dataset, Split, build, ending, joined, split, typical_step
from model.ensemble import Ensemble, fit_scaler
from model.errors import NotEnoughHistoryError
from model.features import FeatureSpec, design, make_spec
from model.functions import sigmoid
from model.gate import GateConfig, refusal
from model.labels import Rules
from model.predictor import Predictor
from model.prior import adapted, usable
from model.scores import Score, score, threshold_for
from model.settings import Recipe
from model.shipped import shipped_prior
from model.standing import BASELINES
from model.training import Epoch, FitReport, Part
from model.units import DAY, HOUR
from model.voices import VOICES, Voices, alone, worth_of

MAX_ROWS = 20_000
"""Moments that networks learn from at most: neighbours differ little, and so many of three months are plenty."""

OTHER_DAYS_AFTER = 3 * DAY
"""Seconds of history from which networks look at other days: with less, yesterday was seen once."""

PRIOR_FADES = 500
"""Furthest horizons that a history must hold for a prior to have no say of its own: three weeks for an hour."""

STORY = 12
"""Horizons within which outcomes tell one story; none is longer than an hour, unless the horizon is."""

STORIES = 6.0
"""How many stories it takes to move the weights of the voices half of the way."""


@dataclass(frozen=True)
class Task:
    """What is to be predicted, and how well a warning must hit."""

    rules: Rules
    horizons: tuple[float, ...]
    precision: float = 0.8


@dataclass(frozen=True)
class Candidate:
    """A trained predictor with what the gate needs to judge it.

    What is judged is its rehearsal, which learned without the newest part of the history: `fit` is of that training,
    `scores` has one mapping a horizon, from "network" and each baseline to its score on the holdout;
    `probabilities` and the values of `baselines` are (rows, horizons) on the holdout rows. `left_out` says of
    each wanted horizon that the history cannot teach yet why that is so.
    """

    predictor: Predictor
    fit: FitReport
    rows: int
    holdout: Dataset
    probabilities: Floats
    baselines: dict[str, Floats]
    scores: tuple[dict[str, Score], ...]
    left_out: dict[float, str]


def train(
    times: Floats,
    values: Floats,
    columns: Sequence[str],
    task: Task,
    recipe: Recipe,
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> Candidate:
    """Trains, calibrates and scores a predictor on samples.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        columns: names of the columns.
        task: what to predict.
        recipe: what to make of it.
        rng: the only randomness.
        on_epoch: told of each of at most `recipe.epochs` epochs; what it raises stops the training.

    Raises:
        SerializationError: the shipped prior is damaged.
        NotEnoughHistoryError: too short, or without both high load and calm in each part.
        DivergedError: see `model.training.fit`.
    """
    rules = task.rules.resolve(columns, values)
    step = typical_step(times, default=1.0)
    spec = make_spec(columns, values, rules, task.horizons, step)
    parts, horizons, left_out = _parts(build(spec, times, values, MAX_ROWS), task.horizons)
    epochs = [recipe.fit.epochs] * recipe.networks
    rehearsal, reports = _fitted(spec, horizons, (parts.train, parts.holdout), recipe, epochs, rng, on_epoch)
    share = prior_share(float(times[-1] - times[0]), max(horizons)) if usable(spec) else 0.0
    prior = adapted(shipped_prior(), spec, horizons) if share else None
    rehearsal = replace(rehearsal, prior=prior, prior_share=share)
    rehearsal = replace(rehearsal, voices=_mixed(rehearsal, parts.holdout))
    rehearsal = replace(rehearsal, thresholds=_thresholds(rehearsal, parts.holdout, task.precision))
    done = sum(epochs)

    def later(epoch: Epoch) -> None:
        on_epoch(epoch._replace(number=done + epoch.number))

    kept, whole = [report.kept for report in reports], joined(parts.train, parts.holdout)
    predictor, _ = _fitted(spec, horizons, (whole, None), recipe, kept, rng, later)
    predictor = replace(
        predictor,
        prior=prior,
        prior_share=share,
        voices=_taken_over(rehearsal, replace(predictor, prior=prior), whole),
        thresholds=rehearsal.thresholds,
        rehearsal=rehearsal,
    )
    load = rules.load_index(columns, values)
    width = bin_width(step) or step
    means, bins = binned(times, load, width)
    others = _other_baselines(rehearsal, parts, (means, bins[np.searchsorted(times, _both(parts))], width))
    return _judge(predictor, together(reports), parts, others, left_out)


def _both(parts: Split) -> Floats:
    return np.concatenate((parts.train.times, parts.holdout.times))


def _other_baselines(rehearsal: Predictor, parts: Split, past: tuple[Floats, Integers, float]) -> dict[str, Floats]:
    """What the present load and a daily season say of the holdout, (rows, horizons) by name.

    Args:
        rehearsal: with its features and tables.
        parts: what they are made from, and the holdout.
        past: the load by bins, the bin of each row of both parts, and seconds of a bin.
    """
    means, bins, width = past
    place, n = rehearsal.spec.place["load_index:last"], len(parts.train)
    index = np.concatenate((parts.train.x[:, place], parts.holdout.x[:, place])).astype(np.float64)
    current = np.stack([sigmoid(voices.worth(index[n:])) for voices in rehearsal.voices], axis=1)
    best, errors = np.full(current.shape, np.nan), np.full(current.shape[1], np.inf)
    for smoothing in SMOOTHING:
        forecasts = seasonal_forecasts(means, bins, index, width, rehearsal.horizons, smoothing)
        for i in range(current.shape[1]):
            y = parts.train.y[:, i]
            worth = worth_of(forecasts[:n, i], y)
            error = float(np.nanmean(np.square(sigmoid(worth(forecasts[:n, i])) - y)))
            if error < errors[i]:
                best[:, i], errors[i] = sigmoid(worth(forecasts[n:, i])), error
    return {BASELINES[0]: current, BASELINES[1]: best}


def _fitted(
    spec: FeatureSpec,
    horizons: tuple[float, ...],
    datasets: tuple[Dataset, Dataset | None],
    recipe: Recipe,
    epochs: Sequence[int],
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None],
) -> tuple[Predictor, tuple[FitReport, ...]]:
    """A predictor that is not calibrated yet, learned from the one dataset and stopped by the other."""
    train, validation = datasets
    scaler, n = fit_scaler(train.x), len(horizons)

    def part(dataset: Dataset) -> Part:
        return Part(scaler(dataset.x), np.concatenate((dataset.y, dataset.practice), axis=1))

    parts = part(train), None if validation is None else part(validation)
    looks = views(spec.names, other_days=train.times[-1] - train.times[0] >= OTHER_DAYS_AFTER)
    fitted, reports = fit_ensemble(looks, parts, n, recipe, epochs, rng, on_epoch)
    base_rates = tuple(float(rate) for rate in np.nanmean(train.y, axis=0))
    index = train.x[:, spec.place["load_index:last"]]
    voices = tuple(replace(alone(len(VOICES)), worth=worth_of(index, train.y[:, i])) for i in range(n))
    return Predictor(spec, horizons, Ensemble(scaler, *fitted), voices, base_rates, (1.0,) * n), reports


def prior_share(span: float, horizon: float) -> float:
    """How much of the say a prior is thought to have before anything was compared.

    All of it without a history, half of it after five days, none after three weeks: on cut traces networks of their
    own were worse than the prior up to three days, and had no use for it after some weeks.

    Args:
        span: seconds of history.
        horizon: the furthest, in seconds.
    """
    return max(0.0, 1.0 - math.sqrt(span / (PRIOR_FADES * horizon)))


def _mixed(predictor: Predictor, unseen: Dataset) -> tuple[Voices, ...]:
    """The voices as they are best heard, by what they say of what none has seen."""
    said, apart = predictor.said(unseen.x), typical_step(unseen.times, default=1.0)
    high, start = predictor.high(unseen.x), (1.0 - predictor.prior_share, 0.0, predictor.prior_share)
    found = []
    for i, horizon in enumerate(predictor.horizons):
        story = max(horizon, min(STORY * horizon, HOUR)) / apart
        calm, up = (fit_mix(said[rows, i], unseen.y[rows, i], start, story, STORIES) for rows in (~high, high))
        found.append(replace(predictor.voices[i], calm=calm, high=up))
    return tuple(found)


def _taken_over(rehearsal: Predictor, predictor: Predictor, whole: Dataset) -> tuple[Voices, ...]:
    """The weights of what serves: those of its rehearsal.

    How much too sure the rehearsal was of what it had not seen, its twin will be of what comes. Of the level only
    half is taken over: where load has risen of late the rehearsal did not know it and its twin does, but what a
    network says of what it has learned from is surer than what it will say.
    """
    said, high = predictor.said(whole.x), predictor.high(whole.x)
    found = []
    for i, voices in enumerate(rehearsal.voices):
        mixes = []
        for mix, rows in ((voices.calm, ~high), (voices.high, high)):
            y = whole.y[rows, i]
            if (y == 1).any() and (y == 0).any():
                level = levelled(said[rows, i] @ np.array(mix.weights), y)
                mixes.append(replace(mix, intercept=(mix.intercept + level) / 2))
            else:
                mixes.append(mix)
        found.append(replace(predictor.voices[i], calm=mixes[0], high=mixes[1]))
    return tuple(found)


def judged(rehearsal: Predictor, holdout: Dataset) -> Floats:
    """What a rehearsal says of its holdout, each half calibrated by the other: (rows, horizons).

    Calibrated by the very rows it is judged on it would look better than it is.
    """
    half = len(holdout) // 2
    halves = [holdout.take(np.arange(half)), holdout.take(np.arange(half, len(holdout)))]
    # a label of the first half may reach into the second
    halves[0] = ending(halves[0], rehearsal.horizons, float(halves[1].times[0]))
    said = [
        replace(rehearsal, voices=_mixed(rehearsal, other)).probabilities(one.x)
        for one, other in (halves, halves[::-1])
    ]
    return np.concatenate(said)


def _parts(dataset: Dataset, horizons: tuple[float, ...]) -> tuple[Split, tuple[float, ...], dict[float, str]]:
    """The split over those horizons of which every part holds both outcomes, and why the others are left out."""
    if not len(dataset):
        raise NotEnoughHistoryError("no moment of the history has a future that was watched")
    parts = split(dataset, horizons)
    left_out = {}
    for i, horizon in enumerate(horizons):
        reason = _cannot_teach(parts, i)
        if reason:
            left_out[horizon] = reason
    usable = [i for i, horizon in enumerate(horizons) if horizon not in left_out]
    if not usable:
        raise NotEnoughHistoryError(next(iter(left_out.values())))
    train, holdout = (replace(part, y=part.y[:, usable]) for part in (parts.train, parts.holdout))
    return Split(train, holdout), tuple(horizons[i] for i in usable), left_out


def _cannot_teach(parts: Split, column: int) -> str | None:
    named = {"to learn from": parts.train, "to be judged on": parts.holdout}
    for purpose, part in named.items():
        y = part.y[:, column]
        y = y[~np.isnan(y)]
        lacks = "no outcome yet" if not y.size else "no high load" if not y.any() else "no calm" if y.all() else ""
        if lacks:
            return f"{lacks} in the part of the history {purpose}; a prediction needs examples of both"
    return None


def _thresholds(predictor: Predictor, unseen: Dataset, precision: float) -> tuple[float, ...]:
    p = predictor.probabilities(unseen.x)
    return tuple(threshold_for(unseen.y[:, i], p[:, i], precision) for i in range(p.shape[1]))


def baseline_probabilities(train: Dataset, state: Floats) -> dict[str, Floats]:
    """What anyone could say without a network.

    Climatology says how often high load followed in training; persistence says how often it followed a moment
    in the same state as now.

    Args:
        train: where the shares are counted.
        state: (rows,) present state of the moments to predict.

    Returns:
        (rows, horizons) by name.
    """
    base = np.nanmean(train.y, axis=0)
    shares = {}
    for value in (0.0, 1.0):
        y = train.y[train.state == value]
        known = ~np.isnan(y)
        # one imagined moment of the base rate: a state that was hardly seen says little
        shares[value] = (np.where(known, y, 0).sum(axis=0) + base) / (known.sum(axis=0) + 1)
    persistence = np.where((state == 1)[:, None], shares[1.0], shares[0.0])
    persistence[np.isnan(state)] = base
    return {"climatology": np.tile(base, (len(state), 1)), "persistence": persistence}


def _judge(
    predictor: Predictor, report: FitReport, parts: Split, others: dict[str, Floats], left_out: dict[float, str]
) -> Candidate:
    rehearsal = predictor.rehearsal or predictor
    p = judged(rehearsal, parts.holdout)
    baselines = {**baseline_probabilities(parts.train, parts.holdout.state), **others}
    scores = tuple(
        {
            name: score(parts.holdout.y[:, i], q[:, i], rehearsal.base_rates[i])
            for name, q in {"network": p, **baselines}.items()
        }
        for i in range(len(predictor.horizons))
    )
    rows = len(parts.train) + len(parts.holdout)
    return Candidate(predictor, report, rows, parts.holdout, p, baselines, scores, left_out)


def features_at(spec: FeatureSpec, times: Floats, values: Floats, at: Floats) -> Floats:
    """The features of some moments of a history.

    Args:
        spec: made for the same columns.
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        at: (n,) moments, each one of `times`, increasing.

    Returns:
        (n, features).
    """
    history = spec.history(live=True)
    rows, x = np.searchsorted(times, at), np.empty((len(at), len(spec.names)), np.float32)
    for start in range(0, len(times), CHUNK_ROWS):
        end = min(start + CHUNK_ROWS, len(times))
        history.extend(times[start:end], values[start:end])
        here = slice(*np.searchsorted(rows, (start, end)))
        if here.stop > here.start:
            x[here] = design(spec, history, rows[here] - history.forgotten)
    return x


def probabilities_at(predictor: Predictor, times: Floats, values: Floats, at: Floats) -> Floats:
    """What a predictor would have said at some moments of a history, (n, horizons); see `features_at`."""
    return predictor.probabilities(features_at(predictor.spec, times, values, at))


def said_instead(serving: Predictor, candidate: Candidate, times: Floats, values: Floats) -> Floats | None:
    """What another predictor's rehearsal says of the candidate's holdout, at the candidate's horizons.

    The other one has itself learned from most of that holdout, its rehearsal has not.

    Args:
        serving: the other one.
        candidate: made of the same samples.
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.

    Returns:
        (rows, horizons), NaN at a horizon that it does not know; None where it knows none, or other columns.
    """
    twin, wanted = serving.rehearsal or serving, candidate.predictor.horizons
    shared = [horizon for horizon in wanted if horizon in twin.horizons]
    if twin.spec.columns != candidate.predictor.spec.columns or not shared:
        return None
    holdout, known = candidate.holdout, [twin.horizons.index(horizon) for horizon in shared]
    there = [wanted.index(horizon) for horizon in shared]
    y = np.full((len(holdout), len(twin.horizons)), np.float32(np.nan))
    y[:, known] = holdout.y[:, there]
    x = features_at(twin.spec, times, values, holdout.times)
    found = np.full(candidate.probabilities.shape, np.nan)
    found[:, there] = judged(twin, replace(holdout, x=x, y=y))[:, known]
    return found


def refusal_of(
    candidate: Candidate, serving: Predictor | None, times: Floats, values: Floats, config: GateConfig
) -> str | None:
    """The reason why the gate does not let a candidate serve, or None.

    Args:
        candidate: with what it said of its holdout.
        serving: the model that serves, None where none does.
        times: (rows,) seconds of the samples that the candidate was made of.
        values: (rows, columns) of them.
        config: of the gate.
    """
    horizons = candidate.predictor.horizons
    incumbent = None
    if serving is not None:
        lost = {h: why for h, why in candidate.left_out.items() if h in serving.horizons}
        if lost:
            return f"it cannot say what the serving model says: {next(iter(lost.values()))}"
        incumbent = said_instead(serving, candidate, times, values)
    return refusal(candidate.probabilities, candidate.baselines, incumbent, candidate.holdout, horizons, config)
