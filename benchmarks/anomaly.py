"""Anomaly detection on labelled series, compared with PCA, k-means and a seasonal mean.

`python -m benchmarks.anomaly PATH@STEP...`: for each series the detector is fitted on the training part and scores
the test part row by row, with thresholds that are fitted again each day. All detectors have the same false-alarm
budget. Faults are injected where no event is labelled, each one into a copy of the detector in its state at that row.

`--scores-only` leaves out the other detectors and the faults. `--record FILE` writes VUS-PR, events and false alarms
by set; `--reference FILE` compares VUS-PR with an earlier record. For other scores there is `Detector`: fit(train),
then score(test, train).
"""

from __future__ import annotations

import argparse
import copy
import os
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

# Set before NumPy is imported: BLAS threads would compete with the processes of the other series.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.anomaly_peers import PEERS
from benchmarks.anomaly_records import SeriesScore, figures, load_record, write_record
from benchmarks.labelled import (
    FAULTS,
    EventScorecard,
    Series,
    alarms_by_block_maxima,
    fault_rows,
    inject_faults,
    read_series,
)
from benchmarks.report import Figure, main
from benchmarks.volume_under_surface import dominant_period, vus_pr
from model.anomaly.backtest import WARM_UP
from model.anomaly.detector import fit_detector
from model.anomaly.events import DetectorReading
from model.anomaly.online_detector import OnlineDetector
from model.array_types import Floats
from model.units import DAY

START = 1.6e9 - 1.6e9 % DAY
"""Seconds since the epoch of the first row of a series without timestamps: a midnight."""

MIN_DETECTED = dict(zip(FAULTS, (0.5, 0.6, 0.7, 0.9, 0.9), strict=True))
"""Targets for the share of detected faults."""

PRODUCT = "monitor"


class Detector:
    """Detector of one host, fitted on unlabelled rows; scores the rows right after them in order."""

    def __init__(self, step: float, false_alarms_per_month: float = 2.0) -> None:
        self._step = step
        self._false_alarms_per_month = false_alarms_per_month

    def fit(self, train: Floats) -> Detector:
        """Fit on rows (rows, metrics), NaN where missing."""
        self._train = train
        columns = [f"m{i:02d}" for i in range(train.shape[1])]
        self._detector = fit_detector(self.times(0, len(train)), train, columns, self._step)
        return self

    def online(self) -> OnlineDetector:
        """Return an online detector that is warmed up with the last training rows."""
        online = OnlineDetector([self._detector], self._false_alarms_per_month)
        first = max(0, len(self._train) - round(WARM_UP / self._step))
        online.replay(self.times(first, len(self._train)), self._train[first:, None], may_start=False)
        return online

    def readings(self, test: Floats) -> list[DetectorReading | None]:
        """Return the reading of each test row; None for rows that cannot be scored."""
        n = len(self._train)
        steps = self.online().replay(self.times(n, n + len(test)), test[:, None])
        return [step.reading for (step,) in steps]

    def score(self, test: Floats, train: Floats) -> Floats:  # noqa: ARG002  the interface of the peers
        """Return the scores (rows,) of test rows; 0 for rows that cannot be scored."""
        return _scores(self.readings(test))

    def times(self, start: int, end: int) -> Floats:
        """Return the start times in seconds of rows `start` to `end`, counted from the first training row."""
        return START + np.arange(start, end) * self._step


@dataclass
class SeriesResult:
    """Result of one series: scores, scorecard by detector, and by kind of fault the detections."""

    score: SeriesScore
    scorecards: dict[str, EventScorecard] = field(default_factory=lambda: defaultdict(EventScorecard))
    faults: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))


def evaluate_scores(series: Series, budget: float) -> SeriesScore:
    """Fit and score one series with the product; `budget` is in false alarms per month."""
    start = time.perf_counter()
    readings = Detector(series.step, budget).fit(series.train).readings(series.test)
    seconds = time.perf_counter() - start
    events = EventScorecard()
    events.add_series(series, np.array([_is_alarm(reading) for reading in readings]))
    area = vus_pr(series.label, _scores(readings), dominant_period(series.test[:, 0]))
    return SeriesScore(series.group, series.name, area, events, seconds)


def evaluate(series: Series, budget: float, fault_budget: float) -> SeriesResult:
    """Score one series with all detectors and inject faults.

    Args:
        series: labelled rows.
        budget: false alarms per month.
        fault_budget: false alarms per month for the injected faults.
    """
    result = SeriesResult(evaluate_scores(series, budget))
    result.scorecards[PRODUCT] = result.score.events
    for name, peer in PEERS.items():
        past, scores = peer(series.train, series.test, series.step)
        alarms = alarms_by_block_maxima(past, scores, series.step, budget)
        result.scorecards[name].add_series(series, alarms)
    _evaluate_faults(series, fault_budget, result)
    return result


def _evaluate_faults(series: Series, budget: float, result: SeriesResult) -> None:
    """Inject faults; a fault is detected by an alarm that the series without it does not have."""
    rng = np.random.default_rng(0)
    detector = Detector(series.step, budget).fit(series.train)
    online = detector.online()
    n = len(series.train)
    times = detector.times(n, n + len(series.test))
    starts = set(fault_rows(series, rng).tolist())
    clean_alarms = np.zeros(len(series.test), bool)
    snapshots = {}
    for row, values in enumerate(series.test):
        if row in starts:
            snapshots[row] = copy.deepcopy(online)
        (step,) = online.step(times[row], values[None])
        clean_alarms[row] = _is_alarm(step.reading)
    result.scorecards[f"{PRODUCT} at {budget:g} per month"].add_series(series, clean_alarms)
    for start, snapshot in snapshots.items():
        for kind, x in inject_faults(series, start, rng):
            rows = slice(start, start + len(x))
            steps = copy.deepcopy(snapshot).replay(times[rows], x[:, None])
            alarms = np.array([_is_alarm(step.reading) for (step,) in steps])
            result.faults[kind].append(bool((alarms & ~clean_alarms[rows]).any()))


def _scores(readings: list[DetectorReading | None]) -> Floats:
    """Return the scores (rows,) of readings; 0 for rows that cannot be scored."""
    return np.array([0.0 if r is None or np.isnan(r.score) else r.score for r in readings])


def _is_alarm(reading: DetectorReading | None) -> bool:
    return reading is not None and reading.is_alarm


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Evaluate all series, print the results by group, and return the figures."""
    budget = arguments.allowed
    run = partial(evaluate, budget=budget, fault_budget=arguments.planted)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        if arguments.scores_only:
            scores = pool.map(partial(evaluate_scores, budget=budget), read_series(arguments.series))
            results = [SeriesResult(score, {PRODUCT: score.events}) for score in scores]
        else:
            results = list(pool.map(run, read_series(arguments.series)))
    if arguments.record:
        write_record(arguments.record, arguments.describe, (result.score for result in results))
    areas = {f"{result.score.group}/{result.score.name}": result.score.vus_pr for result in results}
    reference = load_record(arguments.reference) if arguments.reference else {}
    faults = [] if arguments.scores_only else _fault_figures(results)
    return [*figures(areas, reference), *_detector_figures(results, budget), *faults]


def _detector_figures(results: list[SeriesResult], budget: float) -> list[Figure]:
    """Return recall and false alarms of each detector over all series."""
    figures = []
    for name in results[0].scorecards:
        total = EventScorecard()
        groups: dict[str, EventScorecard] = defaultdict(EventScorecard)
        for result in results:
            total.add_scorecard(result.scorecards[name])
            groups[result.score.group].add_scorecard(result.scorecards[name])
        by_group = ", ".join(
            f"{group} {card.recall:.2f} at {card.false_alarms_per_month:.2f}" for group, card in groups.items()
        )
        print(
            f"{name:22s} {total.detected} of {total.events} events ({total.recall:.3f}), median delay "
            f"{total.median_delay:.0f} min, {total.false_alarms_per_month:.2f} false alarms per month | {by_group}"
        )
        most = 1.25 * budget if name == PRODUCT else None
        figures.append(Figure(f"{name}: share of events detected", total.recall))
        figures.append(Figure(f"{name}: false alarms per month", total.false_alarms_per_month, most))
    return figures


def _fault_figures(results: list[SeriesResult]) -> list[Figure]:
    """Return the share of detected faults of each kind over all series."""
    figures = []
    for kind in FAULTS:
        groups: dict[str, list[bool]] = defaultdict(list)
        for result in results:
            groups[result.score.group] += result.faults[kind]
        detections = [detected for group in groups.values() for detected in group]
        by_group = ", ".join(f"{group} {np.mean(part):.2f}" for group, part in groups.items() if part)
        share = float(np.mean(detections))
        print(f"fault: {kind:32s} {share:.3f} of {len(detections)} | {by_group}")
        figures.append(Figure(f"faults detected: {kind}", share, least=MIN_DETECTED[kind]))
    return figures


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this benchmark."""
    parser.add_argument("series", nargs="+", metavar="PATH@STEP")
    parser.add_argument("--allowed", type=float, default=2.0, help="false alarms per month (default 2)")
    parser.add_argument(
        "--planted", type=float, default=5.0, help="false alarms per month for injected faults (default 5)"
    )
    parser.add_argument("--scores-only", action="store_true", help="leave out the other detectors and the faults")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write a record of this run")
    parser.add_argument("--describe", default="", metavar="TEXT", help="description in the record")
    parser.add_argument("--reference", type=Path, metavar="FILE", help="record to compare VUS-PR with")


if __name__ == "__main__":
    raise SystemExit(
        main("Anomaly detection on labelled series", measure, ("--jobs", 1, "series at once"), more=options)
    )
