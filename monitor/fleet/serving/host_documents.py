"""Host documents: rows of the host table, warnings and score totals as documents."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from monitor.documents.fleet import (
    FleetHostDetailsDocument,
    FleetHostDocument,
    FleetScoreDocument,
    FleetSourceDocument,
    FleetStatusDocument,
    FleetWarningDocument,
    HostForecastDocument,
)
from monitor.fleet.process.host_table import HostTable
from monitor.fleet.process.state import FleetState
from monitor.system.redaction import redact_credentials, redact_url
from storage.fleet.records import SCORE_SUMS, FleetScore, FleetWarning

Starts = Mapping[tuple[str, float], float]
"""Start of each active warning by host and horizon, in seconds since the epoch."""


def newest_step(table: HostTable) -> float | None:
    """Return the newest step of a table in seconds since the epoch; None before the first one."""
    return None if math.isnan(table.time) else table.time


def risk_horizon(table: HostTable) -> float | None:
    """Return the horizon of the risk in seconds; None before the first prediction."""
    return table.horizons[table.risk_horizon] if table.horizons else None


def host_document(table: HostTable, row: int, step: float, starts: Starts) -> FleetHostDocument:
    """Return the document of one row of a table.

    Args:
        table: hosts.
        row: number of the host.
        step: seconds between samples.
        starts: starts of the active warnings.
    """
    stale = bool(table.stale(step)[row])
    is_predicted = not stale and bool(table.horizons) and bool(np.isfinite(table.probabilities[row]).all())
    predictions = tuple(
        HostForecastDocument(
            horizon=horizon,
            probability=float(table.probabilities[row, number]),
            baseline_probability=_finite(table.base_rates[row, number]),
            warning_threshold=float(table.thresholds[row, number]),
            warning=bool(table.warnings[row, number]),
            warning_since=starts.get((table.hosts[row], horizon)),
        )
        for number, horizon in enumerate(table.horizons if is_predicted else ())
    )
    return FleetHostDocument(
        host=table.hosts[row],
        last_seen=float(table.last_seen[row]),
        stale=stale,
        high_load=is_predicted and bool(table.high[row]),
        warning=any(prediction.warning for prediction in predictions),
        model=str(table.models[row]),
        risk=predictions[table.risk_horizon].probability if predictions else None,
        predictions=predictions,
    )


def details_document(
    state: FleetState, host: str, warnings: Iterable[FleetWarning], scores: Iterable[FleetScore]
) -> FleetHostDetailsDocument | None:
    """Return the details of one host; None if there is no such host.

    Args:
        state: state of the process.
        host: value of the host label.
        warnings: its stored warnings, newest first.
        scores: its totals, one per horizon.
    """
    table = state.table
    row = table.rows.get(host)
    if row is None:
        return None
    starts = {(warning.host, warning.horizon): warning.started_at for warning in state.warnings}
    values = zip(table.columns, table.values[row].tolist(), strict=True)
    return FleetHostDetailsDocument(
        host=host_document(table, row, state.step, starts),
        at=newest_step(table),
        step=state.step,
        risk_horizon=risk_horizon(table),
        values={name: value for name, value in values if math.isfinite(value)},
        recent=tuple(_finite(value) for value in table.recent[row].tolist()),
        warnings=tuple(map(warning_document, warnings)),
        scores=score_documents(scores),
    )


def warning_document(warning: FleetWarning) -> FleetWarningDocument:
    """Return the document of a warning."""
    return FleetWarningDocument(
        host=warning.host,
        horizon=warning.horizon,
        started_at=warning.started_at,
        ended_at=warning.ended_at,
        probability=warning.probability,
        peak=warning.peak,
    )


def score_documents(scores: Iterable[FleetScore]) -> tuple[FleetScoreDocument, ...]:
    """Return the scores for each horizon, over all hosts of the totals."""
    sums: dict[float, Counter[str]] = {}
    for score in scores:
        of_horizon = sums.setdefault(score.horizon, Counter())
        for name in SCORE_SUMS:
            of_horizon[name] += getattr(score, name)
    return tuple(_score_document(horizon, sums[horizon]) for horizon in sorted(sums))


def status_document(state: FleetState) -> FleetStatusDocument:
    """Return the status of the running process."""
    table = state.table
    cycle = state.cycle
    predicted = table.predicted(state.step)
    has_warning = table.warnings.any(axis=1) if table.horizons else np.zeros(len(table.hosts), bool)
    return FleetStatusDocument(
        version=state.version,
        running=True,
        started_at=state.started_at,
        at=newest_step(table),
        step=state.step,
        working=state.working,
        hosts=len(table.hosts),
        predicted=int(predicted.sum()),
        stale=int(table.stale(state.step).sum()),
        pending=cycle.pending_hosts,
        high_load=int((table.high & predicted).sum()),
        warning=int((has_warning & predicted).sum()),
        models=dict(sorted(Counter(table.models[predicted].tolist()).items())),
        source=FleetSourceDocument(
            url=redact_url(state.config.source.url),
            available=cycle.source_error is None if cycle.cycles else None,
            error=cycle.source_error,
            failing_since=cycle.failing_since,
            succeeded_at=cycle.succeeded_at,
            reads=cycle.reads,
            errors=cycle.source_errors,
            filled_steps=cycle.filled_steps,
            lost_steps=cycle.lost_steps,
        ),
        cycle_seconds=cycle.cycle_seconds,
        hung_jobs=tuple(name for name, job in sorted(state.jobs.items()) if job.hung),
        database=redact_credentials(state.config.database_url),
        storage_error=state.storage.error,
    )


def _score_document(horizon: float, sums: Mapping[str, float]) -> FleetScoreDocument:
    scored = sums["scored"]
    baseline = sums["baseline_brier_sum"]
    return FleetScoreDocument(
        horizon=horizon,
        scored=int(scored),
        unknown=int(sums["unknown"]),
        high_load_share=_ratio(sums["outcome_sum"], scored),
        brier=_ratio(sums["brier_sum"], scored),
        brier_skill=1.0 - sums["brier_sum"] / baseline if baseline else None,
        precision=_ratio(sums["true_warnings"], sums["warnings"]),
        recall=_ratio(sums["true_warnings"], sums["events"]),
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
