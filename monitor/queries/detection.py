"""State of anomaly detection: active event, recent events, serving detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.anomaly.resampling import MAX_GAP, WARM_UP_ROWS, row_interval
from model.array_types import distinct
from model.units import DAY
from monitor.config.loader import Config
from monitor.stores import Stores
from monitor.training.coverage import HistoryCoverage
from monitor.training.records import CompletedRun, RegisteredModel
from monitor.training.report_parts import DetectorReport
from monitor.training.schedule import insufficient_history
from storage import AnomalyRecord

RECENT = 30 * DAY
"""Length in seconds of the period whose events are counted; it ends now."""


@dataclass(frozen=True)
class DetectionState:
    """State of anomaly detection at one time.

    Attributes:
        active: the event in progress; None if there is none.
        recent: number of live events that started in the last 30 days.
        allowed: false-alarm budget, in alarms per 30 days.
        detecting: True if a detector serves.
        waiting_for: reason why no detector serves; empty if a detector serves.
        scores_from: time from which there are scores again after a gap, in seconds since the epoch; None if there
            are scores, or no sample is recent.
    """

    active: AnomalyRecord | None = None
    recent: int = 0
    allowed: float = 0.0
    detecting: bool = False
    waiting_for: str = ""
    scores_from: float | None = None


def read_detection(
    stores: Stores,
    config: Config,
    coverage: HistoryCoverage,
    model: RegisteredModel | None,
    last_run: CompletedRun | None,
    now: float,
) -> DetectionState:
    """Return the event in progress, the number of recent events, and the reason if no detector serves.

    Args:
        stores: repositories.
        config: configuration of anomaly detection and sampling.
        coverage: cached measurement of the time that the stored history covers.
        model: the serving model; None if there is none.
        last_run: the newest training run; None if there is none.
        now: seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    waiting_for = _waiting_for(config, coverage, model, last_run, now)
    since = now - RECENT
    step = _serving_detector(model).step
    return DetectionState(
        active=stores.anomalies.ongoing(),
        recent=sum(event.started_at > since for event in stores.anomalies.since(since, live=True)),
        allowed=config.anomaly.false_alarms_per_month,
        detecting=not waiting_for,
        waiting_for=waiting_for,
        scores_from=None if waiting_for or step is None else _scores_from(stores, step, now),
    )


def _scores_from(stores: Stores, step: float, now: float) -> float | None:
    """Return the time from which there are scores again after a gap; see `DetectionState.scores_from`.

    Args:
        stores: repositories.
        step: row interval of the detector in seconds.
        now: seconds since the epoch.
    """
    first = now // step - (WARM_UP_ROWS + MAX_GAP + 2)
    times = stores.samples.thinned_times(first * step, now, step)
    if not len(times):
        return None
    rows = distinct(times // step)
    gaps = np.flatnonzero(np.diff(rows, prepend=first - 1) > MAX_GAP + 1)
    if not len(gaps):
        return None
    missing = WARM_UP_ROWS - (len(rows) - 1 - gaps[-1])
    scored_at = float((rows[-1] + missing + 1) * step)
    return scored_at if missing >= 0 and scored_at > now else None


def _waiting_for(
    config: Config,
    coverage: HistoryCoverage,
    model: RegisteredModel | None,
    last_run: CompletedRun | None,
    now: float,
) -> str:
    if not config.anomaly.enabled:
        return "anomaly.enabled is false"
    detector = _serving_detector(model)
    if detector.step is not None and detector.step < row_interval(config.sampling.interval):
        return "the sampling interval exceeds the detector's row interval; the next training run replaces it"
    if detector.at is not None:
        return ""
    needed = config.anomaly.min_history
    covered = coverage.seconds(now, needed)
    if covered < needed:
        return insufficient_history(covered, needed)
    return _refusal(last_run) or "the next training run fits a detector"


def _serving_detector(model: RegisteredModel | None) -> DetectorReport:
    """Return the report of the serving detector; an empty report if there is none."""
    report = None if model is None else model.report
    return DetectorReport() if report is None or report.detector is None else report.detector


def _refusal(run: CompletedRun | None) -> str:
    """Return the reason why the last training run fitted no detector; empty if it fitted one or has no report."""
    detector = None if run is None or run.report is None else run.report.detector
    return "" if detector is None or detector.at is not None else detector.reason
