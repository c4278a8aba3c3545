"""VUS-PR: volume under the precision-recall surface, tolerant of inexact label borders.

Definition of Paparrizos et al. 2022 (`RangeAUC_volume_opt` of TSB-AD): labels get sloping borders of 0 to `window`
rows in all, and the area under the curve of precision over recall is averaged over these widths.
"""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats

THRESHOLDS = 250
"""Number of thresholds, at equal distances in the ranking of the rows."""

DEFAULT_WINDOW = 125
SHORTEST_PERIOD = 3
LONGEST_PERIOD = 303
AUTOCORRELATION_ROWS = 20_000
AUTOCORRELATION_LAGS = 400


def vus_pr(label: Bools, score: Floats, window: int) -> float:
    """Return the VUS-PR of scores.

    Args:
        label: (rows,) True within an event; at least one event.
        score: (rows,) larger is more anomalous.
        window: largest width of the borders in rows.
    """
    flags = np.diff(label.astype(int), prepend=0, append=0)
    events = list(zip(np.flatnonzero(flags == 1).tolist(), (np.flatnonzero(flags == -1) - 1).tolist(), strict=True))
    order = np.argsort(-score, kind="stable")
    thresholds = score[order][np.linspace(0, len(score) - 1, THRESHOLDS).astype(int)]
    predicted = np.searchsorted(-score[order], -thresholds, side="right")
    near_event = np.zeros(len(score), bool)
    for first, last in _merged(events, window, len(score)):
        near_event[first : last + 1] = True
    areas = []
    for width in range(window + 1):
        weights = np.where(near_event, _bordered(label, events, width), 0.0)
        ranges = _merged(events, width, len(score))
        peaks = np.array([score[first : last + 1].max() for first, last in ranges])
        existence = (peaks >= thresholds[:, None]).mean(axis=1)
        hits = np.concatenate(([0.0], np.cumsum(weights[order])))[predicted]
        border_hits = np.concatenate(([0.0], np.cumsum((weights * ~label)[order])))[predicted]
        recall = np.minimum(2 * hits / (2 * label.sum() + border_hits), 1.0) * existence
        areas.append((np.diff(recall, prepend=0.0) * hits / predicted).sum())
    return float(np.mean(areas))


def _merged(events: list[tuple[int, int]], width: int, rows: int) -> list[tuple[int, int]]:
    """Return the events with borders of half the width; overlapping events are merged."""
    half = width // 2
    merged: list[tuple[int, int]] = []
    for first, last in events:
        start = max(first - half, 0)
        end = min(last + half, rows - 1)
        if merged and merged[-1][1] >= first - half:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _bordered(label: Bools, events: list[tuple[int, int]], width: int) -> Floats:
    """Return weights (rows,): 1 within events, and a slope of half the width on both sides."""
    weights = label.astype(np.float64)
    half = width // 2
    for first, last in events:
        after = np.arange(last + 1, min(last + half + 1, len(label)))
        before = np.arange(max(first - half, 0), first)
        weights[after] += np.sqrt(1 - (after - last) / max(width, 1))
        weights[before] += np.sqrt(1 - (first - before) / max(width, 1))
    return np.asarray(np.where(label, 1.0, np.minimum(weights, 1.0)))


def dominant_period(x: Floats) -> int:
    """Return the lag of the highest local maximum of the autocorrelation of a metric (rows,), in rows.

    It is the window of VUS-PR in TSB-AD (`find_length_rank`); DEFAULT_WINDOW if there is no such maximum.
    """
    centred = x[:AUTOCORRELATION_ROWS] - x[:AUTOCORRELATION_ROWS].mean()
    if not centred.any():
        return DEFAULT_WINDOW
    spectrum = np.fft.rfft(centred, 2 * len(centred))
    correlation = np.fft.irfft(spectrum * np.conj(spectrum))[SHORTEST_PERIOD : AUTOCORRELATION_LAGS + 1]
    is_peak = (correlation[1:-1] > correlation[:-2]) & (correlation[1:-1] > correlation[2:])
    peaks = np.flatnonzero(is_peak) + 1
    if not len(peaks):
        return DEFAULT_WINDOW
    period = int(peaks[np.argmax(correlation[peaks])]) + SHORTEST_PERIOD
    return DEFAULT_WINDOW if not 2 * SHORTEST_PERIOD <= period <= LONGEST_PERIOD else period
