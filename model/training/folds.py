"""Rolling-origin folds: parts of a history, each predicted by a model fitted on earlier samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from model.array_types import Floats, Integers
from model.errors import NotEnoughHistoryError, SkipReason
from model.features.dataset import Dataset, Split, concatenate, mask_labels, split
from model.training.task import MIN_EVENTS, OmittedHorizon

BORDERS = (2, 3, 4)
"""Number of fifths of the history, by rows or by events, that precede each fold."""


@dataclass(frozen=True)
class Folds:
    """History divided into rolling-origin folds.

    Attributes:
        parts: for each fold, oldest first, all rows before the fold and the fold itself. The folds are adjacent, and
            the newest ends with the history: together the folds are the holdout.
        horizons: horizons with enough examples, in seconds.
        events: number of events in the history per horizon.
        omitted: for each other horizon of the task, in seconds, the reason why it is omitted.
    """

    parts: tuple[Split, ...]
    horizons: tuple[float, ...]
    events: tuple[int, ...]
    omitted: dict[float, OmittedHorizon]

    @property
    def holdout(self) -> Dataset:
        """Rows of all folds, in time order."""
        return concatenate(*(part.holdout for part in self.parts))

    @property
    def whole(self) -> Dataset:
        """All rows of the history: the rows before the folds, and the holdout."""
        return concatenate(self.parts[-1].train, self.parts[-1].holdout)


def make_folds(dataset: Dataset, horizons: Sequence[float], step: float) -> Folds:
    """Divide a history into three folds after its first two fifths, and omit the horizons with too few examples.

    High-load periods are separate events of a horizon if they are more than the horizon apart. Each fold is a fifth
    of the rows if each fold and the rows before the first one have MIN_EVENTS events at every horizon that is not
    omitted. Otherwise, each fold has a fifth of the events, counted at the horizon with the fewest events.

    Args:
        dataset: the history.
        horizons: horizons of the labels in seconds.
        step: row interval in seconds.

    Raises:
        NotEnoughHistoryError: the dataset is empty, or no horizon has MIN_EVENTS events and both outcomes before the
            first fold and in the holdout.
    """
    if not len(dataset) and step > max(horizons):
        reason = SkipReason.HORIZON_BELOW_SPACING
        raise NotEnoughHistoryError(f"{reason.message}: one sample per {step:g} s, no horizon is longer", reason)
    if not len(dataset):
        reason = SkipReason.NO_KNOWN_OUTCOME
        raise NotEnoughHistoryError(f"{reason.message}: no sample is followed by samples over a horizon", reason)
    # Mask labels whose horizon exceeds the history: only label 1 could be known there, which would bias event rates.
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
    """Return the indices (events,) of the rows where an event begins.

    The label of such a row is 1, and the previous known label is 0 or does not exist.

    Args:
        y: (rows,) labels of the horizon, NaN if unknown.
    """
    known = np.flatnonzero(~np.isnan(y))
    high = y[known] == 1
    return np.asarray(known[high & ~np.append(False, high[:-1])])


def _skip_reason(y: Floats, events: int, *, below_spacing: bool) -> SkipReason | None:
    """Return the reason why the labels of a horizon do not suffice for training; None if they suffice.

    Args:
        y: (rows,) labels, NaN if unknown.
        events: number of events.
        below_spacing: True if the horizon is shorter than the sample spacing.
    """
    known = y[~np.isnan(y)]
    if not known.size:
        return SkipReason.HORIZON_BELOW_SPACING if below_spacing else SkipReason.NO_KNOWN_OUTCOME
    if not known.any():
        return SkipReason.NO_HIGH_LOAD
    if known.all():
        return SkipReason.NO_CALM_LOAD
    return SkipReason.TOO_FEW_EVENTS if events < MIN_EVENTS else None


def _split(dataset: Dataset, horizons: Sequence[float], onsets: Sequence[Integers]) -> tuple[Split, ...]:
    """Return for each fold, oldest first, the rows before the fold and the fold itself.

    Args:
        dataset: the history.
        horizons: horizons of the labels in seconds.
        onsets: `event_rows` for each horizon that is not omitted; empty for no folds.
    """
    begins = _begins(dataset, onsets) if onsets else ()
    borders = (*begins, len(dataset))
    return tuple(split(dataset, horizons, begin, end) for begin, end in pairwise(borders))


def _begins(dataset: Dataset, onsets: Sequence[Integers]) -> tuple[int, ...]:
    """Return the index of the first row of each fold (see `make_folds`).

    Args:
        dataset: the history.
        onsets: `event_rows` for each horizon that is not omitted.
    """
    by_rows = tuple(fifths * len(dataset) // 5 for fifths in BORDERS)
    borders = (0, *by_rows, len(dataset))
    if min(int(np.diff(np.searchsorted(rows, borders)).min()) for rows in onsets) >= MIN_EVENTS:
        return by_rows
    fewest = min(range(len(onsets)), key=lambda i: len(onsets[i]))
    rows = onsets[fewest]
    y = dataset.y[:, fewest]
    return tuple(_calm_middle(y, int(rows[fifths * len(rows) // 5])) for fifths in BORDERS)


def _calm_middle(y: Floats, onset: int) -> int:
    """Return the index of the row halfway between the last label 1 before an onset and the onset."""
    previous = np.flatnonzero(y[:onset] == 1)
    return (int(previous[-1]) + onset + 1) // 2


def _is_learnable(y: Floats, first_train_labels: Floats) -> bool:
    """Return True if both outcomes occur before the first fold, and both occur in the holdout.

    Args:
        y: (rows,) labels of the history, NaN if unknown.
        first_train_labels: (n,) labels of the rows before the first fold.
    """
    holdout = y[len(first_train_labels) :]
    return all((labels == 1).any() and (labels == 0).any() for labels in (first_train_labels, holdout))


def _select(part: Dataset, columns: Sequence[int]) -> Dataset:
    return replace(part, y=part.y[:, list(columns)])
