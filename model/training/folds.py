"""Folds of a history, each predicted by a model fitted on earlier samples (rolling origin)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from model.array_types import Floats, Integers
from model.errors import NotEnoughHistoryError, SkipReason
from model.features.dataset import Dataset, Split, concatenate, mask_labels, split
from model.training.task import MIN_EVENTS, OmittedHorizon

TRAINING_RATIO = 0.8
"""Ratio of the rows before the holdout, where both parts have enough events."""

BORDERS = (2, 3, 4)
"""Fifths of the events before the begin of each fold, where one of these parts has too few events."""


@dataclass(frozen=True)
class Folds:
    """Folds of a history.

    Attributes:
        parts: for each fold, oldest first, all rows before it and the fold itself. Each fold begins at the end of the
            previous one, and the newest one ends with the history: together they are the holdout.
        horizons: seconds; those with enough events.
        events: number of events in the history per horizon.
        omitted: the other horizons, in seconds, with the reason.
    """

    parts: tuple[Split, ...]
    horizons: tuple[float, ...]
    events: tuple[int, ...]
    omitted: dict[float, OmittedHorizon]

    @property
    def holdout(self) -> Dataset:
        """Return the rows of all folds."""
        return concatenate(*(part.holdout for part in self.parts))

    @property
    def whole(self) -> Dataset:
        """Return all rows of the history."""
        return concatenate(self.parts[-1].train, self.parts[-1].holdout)


def make_folds(dataset: Dataset, horizons: Sequence[float], step: float) -> Folds:
    """Divide a history into folds.

    An event of a horizon is a high-load period more than the horizon after the previous one. The newest fifth is the
    only fold if it and the history before it hold MIN_EVENTS each, at every horizon. Otherwise the holdout begins
    after two fifths of the events, and has three folds with a fifth of the events each.

    Args:
        dataset: the history.
        horizons: seconds, of its labels.
        step: typical distance of the samples in seconds.

    Raises:
        NotEnoughHistoryError: no horizon has MIN_EVENTS.
    """
    if not len(dataset) and step > max(horizons):
        reason = SkipReason.HORIZON_BELOW_SPACING
        raise NotEnoughHistoryError(f"{reason.message}: one sample per {step:g} s, no horizon is longer", reason)
    if not len(dataset):
        reason = SkipReason.NO_KNOWN_OUTCOME
        raise NotEnoughHistoryError(f"{reason.message}: no sample is followed by samples over a horizon", reason)
    # near the end of the history only high load could become known in time; a label that ends with it is known
    dataset = mask_labels(dataset, horizons, float(np.nextafter(dataset.times[-1], np.inf)))
    spacing = float(np.median(dataset.spacing))
    onsets = [event_rows(dataset.y[:, i]) for i in range(len(horizons))]
    omitted = {}
    for horizon, rows, y in zip(horizons, onsets, dataset.y.T, strict=True):
        reason_or_none = _skip_reason(y, len(rows), below_spacing=spacing > horizon)
        if reason_or_none is not None:
            omitted[horizon] = OmittedHorizon(reason_or_none, len(rows))
    kept = [i for i, horizon in enumerate(horizons) if horizon not in omitted]
    parts = _split(dataset, horizons, [onsets[i] for i in kept])
    learnable = [i for i in kept if _is_learnable(dataset.y[:, i], parts[0].train.y[:, i])]
    for i in set(kept) - set(learnable):
        omitted[horizons[i]] = OmittedHorizon(SkipReason.TOO_FEW_EVENTS, len(onsets[i]))
    if not learnable:
        first = omitted[min(omitted)]
        raise NotEnoughHistoryError(first.message, first.reason)
    return Folds(
        parts=tuple(Split(_select(part.train, learnable), _select(part.holdout, learnable)) for part in parts),
        horizons=tuple(horizons[i] for i in learnable),
        events=tuple(len(onsets[i]) for i in learnable),
        omitted=omitted,
    )


def event_rows(y: Floats) -> Integers:
    """Return the rows at which an event of a horizon comes within it: label 1 after 0, or as the first known label.

    Args:
        y: (rows,) labels of the horizon, NaN if unknown.
    """
    known = np.flatnonzero(~np.isnan(y))
    high = y[known] == 1
    return np.asarray(known[high & ~np.append(False, high[:-1])])


def _skip_reason(y: Floats, events: int, *, below_spacing: bool) -> SkipReason | None:
    """Return the reason why labels (rows,) with that many events do not suffice, None if they do."""
    known = y[~np.isnan(y)]
    if not known.size:
        return SkipReason.HORIZON_BELOW_SPACING if below_spacing else SkipReason.NO_KNOWN_OUTCOME
    if not known.any():
        return SkipReason.NO_HIGH_LOAD
    if known.all():
        return SkipReason.NO_CALM_LOAD
    return SkipReason.TOO_FEW_EVENTS if events < MIN_EVENTS else None


def _split(dataset: Dataset, horizons: Sequence[float], onsets: Sequence[Integers]) -> tuple[Split, ...]:
    """Return the folds by the onsets of the events of each horizon; none without a horizon."""
    begins = _begins(dataset, onsets) if onsets else ()
    borders = (*begins, len(dataset))
    return tuple(split(dataset, horizons, begin, end) for begin, end in pairwise(borders))


def _begins(dataset: Dataset, onsets: Sequence[Integers]) -> tuple[int, ...]:
    """Return the first row of each fold, by the onsets of each horizon's events."""
    newest = int(len(dataset) * TRAINING_RATIO)
    before = min(int(np.searchsorted(rows, newest)) for rows in onsets)
    after = min(len(rows) - int(np.searchsorted(rows, newest)) for rows in onsets)
    if min(before, after) >= MIN_EVENTS:
        return (newest,)
    fewest = min(range(len(onsets)), key=lambda i: len(onsets[i]))
    rows = onsets[fewest]
    y = dataset.y[:, fewest]
    return tuple(_calm_middle(y, int(rows[fifths * len(rows) // 5])) for fifths in BORDERS)


def _calm_middle(y: Floats, onset: int) -> int:
    """Return the row in the middle between the previous event and an onset."""
    previous = np.flatnonzero(y[:onset] == 1)
    return (int(previous[-1]) + onset + 1) // 2


def _is_learnable(y: Floats, first_train_labels: Floats) -> bool:
    """Return True if the training part of the first fold and the holdout both have examples of both outcomes."""
    holdout = y[len(first_train_labels) :]
    return all((labels == 1).any() and (labels == 0).any() for labels in (first_train_labels, holdout))


def _select(part: Dataset, columns: Sequence[int]) -> Dataset:
    return replace(part, y=part.y[:, list(columns)])
