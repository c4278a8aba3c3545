"""What an operator feels of the product's own detector on labelled series, beside PCA, k-means and a seasonal mean.

`python -m benchmarks.anomaly PATH@STEP...`: for each series the detector learns from its first part and follows the
second one row by row, alarms measured anew each day. All are given the same number of false alarms a month. Faults
are planted where nothing happened, each one into a copy of the detector as it stood.

For other measures there is `Detector`: fit(train), then score(test, train).
"""

from __future__ import annotations

import argparse
import copy
import os
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

# before NumPy: a second thread of BLAS would only be in the way of the next series
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.labelled import KINDS, Felt, Series, alarms_by_peaks, faults, plan, read
from benchmarks.report import Figure, main
from model.anomaly.detector import fit_detector
from model.anomaly.online_detector import DetectorReading, OnlineDetector
from model.array_types import Floats

BEGINNING = 1.6e9 - 1.6e9 % 86400
"""Seconds since the epoch at which a series without a clock is said to begin: midnight."""


class Detector:
    """Fitted on rows of one host, unlabelled; scores the rows that come right after them, causally."""

    def __init__(self, step: float, false_alarms_per_month: float = 2.0) -> None:
        self._step, self._allowed = step, false_alarms_per_month

    def fit(self, train: Floats) -> Detector:
        """Learns from (rows, metrics), NaN where missing."""
        self._train = train
        columns = [f"m{i:02d}" for i in range(train.shape[1])]
        self._detector = fit_detector(self.times(0, len(train)), train, columns, self._step)
        return self

    def watch(self) -> OnlineDetector:
        """The detector in step with the end of what it was fitted on."""
        watch = OnlineDetector(self._detector, self._allowed)
        first = max(0, len(self._train) - round(3 * 86400 / self._step))
        for at, row in zip(self.times(first, len(self._train)), self._train[first:], strict=True):
            watch.step(at, row)
        return watch

    def readings(self, test: Floats) -> list[DetectorReading | None]:
        """What is said of each row."""
        watch, n = self.watch(), len(self._train)
        return [watch.step(at, row) for at, row in zip(self.times(n, n + len(test)), test, strict=True)]

    def score(self, test: Floats, train: Floats) -> Floats:  # noqa: ARG002  the peers want it
        """(rows,) higher = more anomalous; 0 where nothing can be said."""
        return np.array([0.0 if r is None or np.isnan(r.score) else r.score for r in self.readings(test)])

    def times(self, start: int, end: int) -> Floats:
        """Seconds since the epoch at which rows begin, counted from the first of the training."""
        return BEGINNING + np.arange(start, end) * self._step


def pca(train: Floats, test: Floats, step: float) -> tuple[Floats, Floats]:  # noqa: ARG001  one shape for all peers
    """Distance in principal directions of equal variance, none below a thousandth of the widest."""
    rows = 32 if train.shape[1] == 1 else 1
    z = _windows(train, test, rows)
    past = z[: len(train)]
    variance, directions = np.linalg.eigh(np.atleast_2d(np.cov(past.T)))
    scaled = (z - past.mean(axis=0)) @ directions / np.sqrt(np.maximum(variance, 1e-3 * variance[-1] + 1e-9))
    return _parted(np.sqrt(np.square(scaled).sum(axis=1)), train)


def kmeans(train: Floats, test: Floats, step: float) -> tuple[Floats, Floats]:  # noqa: ARG001
    """Distance of eight rows (32 of a single metric) to the nearest of 20 centres."""
    from sklearn.cluster import MiniBatchKMeans  # noqa: PLC0415

    z = _windows(train, test, 32 if train.shape[1] == 1 else 8)
    centres = MiniBatchKMeans(20, random_state=0, n_init=3, batch_size=2048).fit(z[: len(train)])
    distances: Floats = centres.transform(z)
    distance: Floats = np.asarray(distances.min(axis=1))
    return _parted(distance, train)


def seasonal(train: Floats, test: Floats, step: float) -> tuple[Floats, Floats]:
    """Mean distance to what this half hour of the day was like."""
    z = _windows(train, test, 1)
    slots = (np.arange(len(z)) * step % 86400 // 1800).astype(int)
    profile = np.zeros((48, z.shape[1]))
    for slot in np.unique(slots[: len(train)]):
        profile[slot] = z[: len(train)][slots[: len(train)] == slot].mean(axis=0)
    return _parted(np.abs(z - profile[slots]).mean(axis=1), train)


def _windows(train: Floats, test: Floats, rows: int) -> Floats:
    """Both parts in deviations of the first, cut at ten, each row with those before it."""
    deviation = train.std(axis=0)
    plain = (np.concatenate((train, test)) - train.mean(axis=0)) / np.where(deviation > 1e-9, deviation, 1.0)
    z: Floats = np.clip(plain, -10, 10)
    at = np.maximum(np.arange(len(z))[:, None] - np.arange(rows)[::-1], 0)
    together: Floats = z[at].reshape(len(z), -1)
    return together


def _parted(score: Floats, train: Floats) -> tuple[Floats, Floats]:
    return score[: len(train)], score[len(train) :]


LEAST = dict(zip(KINDS, (0.5, 0.6, 0.7, 0.9, 0.9), strict=True))
"""Shares of planted faults that are to be found."""

PEERS = {"PCA": pca, "k-means": kmeans, "seasonal mean": seasonal}


@dataclass
class Marked:
    """One series: what each was worth, and which planted faults were found."""

    group: str
    felt: dict[str, Felt] = field(default_factory=lambda: defaultdict(Felt))
    planted: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))


def mark(series: Series, allowed: float, allowed_planted: float) -> Marked:
    marked = Marked(series.group)
    readings = Detector(series.step, allowed).fit(series.train).readings(series.test)
    marked.felt["monitor"].add(series, np.array([r is not None and r.alarm for r in readings]))
    for name, peer in PEERS.items():
        past, scores = peer(series.train, series.test, series.step)
        marked.felt[name].add(series, alarms_by_peaks(past, scores, series.step, allowed))
    _plant(series, allowed_planted, marked)
    return marked


def _plant(series: Series, allowed: float, marked: Marked) -> None:
    """Each fault into a copy of the detector as it stood; found where it alarms and would not have without."""
    rng = np.random.default_rng(0)
    detector = Detector(series.step, allowed).fit(series.train)
    watch, n = detector.watch(), len(series.train)
    times = detector.times(n, n + len(series.test))
    at = plan(series, rng)
    clean = np.zeros(len(series.test), bool)
    started = {}
    for row, values in enumerate(series.test):
        if row in at:
            started[row] = copy.deepcopy(watch)
        reading = watch.step(times[row], values)
        clean[row] = reading is not None and reading.alarm
    marked.felt[f"monitor at {allowed:g} a month"].add(series, clean)
    for row, stood in started.items():
        for kind, x in faults(series, row, rng):
            follows = copy.deepcopy(stood)
            seen = [follows.step(times[row + i], values) for i, values in enumerate(x)]
            alarms = np.array([r is not None and r.alarm for r in seen])
            marked.planted[kind].append(bool((alarms & ~clean[row : row + len(x)]).any()))


def measure(arguments: argparse.Namespace) -> list[Figure]:
    found = read(arguments.series)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        marked = list(pool.map(partial(mark, allowed=arguments.allowed, allowed_planted=arguments.planted), found))
    figures = []
    for name in marked[0].felt:
        pooled = Felt()
        by_group: dict[str, Felt] = defaultdict(Felt)
        for one in marked:
            for total in (pooled, by_group[one.group]):
                felt = one.felt[name]
                total.events, total.found = total.events + felt.events, total.found + felt.found
                total.false_alarms, total.months = total.false_alarms + felt.false_alarms, total.months + felt.months
                total.waited += felt.waited
        groups = ", ".join(f"{group} {felt.recall:.2f} at {felt.monthly:.2f}" for group, felt in by_group.items())
        waited = float(np.median(pooled.waited)) if pooled.waited else float("nan")
        print(
            f"{name:22s} {pooled.found} of {pooled.events} events ({pooled.recall:.3f}), "
            f"{waited:.0f} min after they began, {pooled.monthly:.2f} false alarms a month | {groups}"
        )
        figures.append(Figure(f"{name}: share of events found", pooled.recall))
        most = 1.25 * arguments.allowed if name == "monitor" else None
        figures.append(Figure(f"{name}: false alarms a month", pooled.monthly, most))
    names = list(dict.fromkeys(one.group for one in marked))
    for kind in KINDS:
        hits = [hit for one in marked for hit in one.planted[kind]]
        of = {group: [h for one in marked if one.group == group for h in one.planted[kind]] for group in names}
        groups = ", ".join(f"{group} {np.mean(found):.2f}" for group, found in of.items() if found)
        print(f"planted: {kind:24s} {np.mean(hits):.3f} of {len(hits)} | {groups}")
        figures.append(Figure(f"planted and found: {kind}", float(np.mean(hits)), least=LEAST[kind]))
    return figures


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("series", nargs="+", metavar="PATH@STEP")
    parser.add_argument("--allowed", type=float, default=2.0, help="false alarms a month (default 2)")
    parser.add_argument(
        "--planted", type=float, default=5.0, help="false alarms a month for planted faults (default 5)"
    )


if __name__ == "__main__":
    raise SystemExit(main("Anomalies on labelled series", measure, ("--jobs", 1, "series at once"), more=options))
