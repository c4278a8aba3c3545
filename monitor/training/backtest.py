"""`monitor backtest`: the daemon's own training, gate and scores over a trace, with no database touched."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from model.anomaly.backtest import AnomalyBacktest, backtest_detector
from model.errors import NotEnoughHistoryError
from model.features.dataset import covered_seconds, typical_step
from model.training.backtest import backtest
from model.training.backtest_result import BacktestResult
from model.training.settings import BacktestConfig
from monitor.config.loader import Config
from monitor.errors import MonitorError, NotEnoughDataError, RefusedError
from monitor.reports.blocks import SCORES, Line, Report, Table, Toned, heading, score_cells
from monitor.sampling.csv_traces import Trace
from monitor.system.formatting import approximate_duration, format_duration, format_time
from monitor.system.json_codec import to_plain
from monitor.training.retrain import gate_of, task_of

SHARE = 0.6
"""Of the rows, before which a model learns where nobody says when."""


def rerun(
    trace: Trace,
    config: Config,
    until: float | None,
    *,
    retrain: bool,
) -> BacktestResult:
    """Lives through a trace as the daemon would with this configuration.

    Raises:
        MonitorError: the trace lacks a metric of the rules.
        NotEnoughDataError: no model could be trained on it.
        RefusedError: the gate let no model serve.
    """
    missing = {metric for rule in config.high_load.rules for metric, _ in rule} - set(trace.columns)
    if missing:
        raise MonitorError(f"the trace has no {', '.join(sorted(missing))}, which high_load.rules look at")
    if until is None:
        until = float(trace.times[int(len(trace.times) * SHARE)]) if len(trace.times) else 0.0
    training = config.training
    interval = training.interval if retrain else None
    how = BacktestConfig(until, interval, training.history, gate_of(config), training.seed)
    found = backtest(trace.times, trace.values, trace.columns, task_of(config), training.recipe, how)
    if np.isnan(found.probabilities).all():
        last = found.attempts[-1]
        raise (RefusedError if last.by_gate else NotEnoughDataError)(f"no model could serve: {last.refusal}")
    return found


def rewatch(trace: Trace, config: Config, until: float, *, retrain: bool) -> AnomalyBacktest | None:
    """Watches the same part of a trace for anomalies; None where that is not wanted, or too little is before it."""
    known = trace.times[trace.times < until]
    step = typical_step(trace.times, config.sampling.interval)
    if not config.anomaly.enabled or covered_seconds(known, step) < config.anomaly.min_history:
        return None
    interval = config.training.interval if retrain else None
    allowed = config.anomaly.false_alarms_per_month
    try:
        return backtest_detector(trace.times, trace.values, trace.columns, until, interval, allowed)
    except NotEnoughHistoryError:
        return None


def prediction_rows(found: BacktestResult, seen: AnomalyBacktest | None) -> Iterator[str]:
    """The lines of a file of predictions: a header, then one a moment and horizon at which something was said."""
    yield "timestamp,horizon,probability,warning,anomaly_score\n"
    scores = np.full(len(found.times), np.nan) if seen is None else seen.scores
    anomalous = ["" if math.isnan(score) else f"{score:.6g}" for score in scores.tolist()]
    rows = zip(found.times, found.probabilities, found.warnings, anomalous, strict=True)
    for at, p, warned, score in rows:
        for horizon, probability, warning in zip(found.horizons, p.tolist(), warned.tolist(), strict=True):
            if not math.isnan(probability):
                yield f"{at:.15g},{horizon:g},{probability:.6g},{warning:g},{score}\n"


def backtest_document(
    path: Path, trace: Trace, found: BacktestResult, seen: AnomalyBacktest | None
) -> dict[str, Any]:
    """The backtest as plain JSON data; figures that do not exist are null."""
    tasks = {"all": found.scores(onset=False), "onset": found.scores(onset=True)}
    return {
        "file": str(path),
        "trace": asdict(trace.counts),
        "until": float(found.times[0]),
        "rows": len(found.times),
        "anomalies": None
        if seen is None
        else {
            "days": seen.days,
            "events": [{k: v for k, v in asdict(e).items() if k != "ended"} for e in seen.events],
        },
        "attempts": [asdict(attempt) for attempt in found.attempts],
        "horizons": [
            {
                "horizon": horizon,
                "base_rate": to_plain(float(found.base_rates[i])),
                "said": float(np.mean(~np.isnan(found.probabilities[:, i]))),
                **{
                    task: {name: to_plain(score) for name, score in scores[i].items()}
                    for task, scores in tasks.items()
                },
            }
            for i, horizon in enumerate(found.horizons)
        ],
    }


def backtest_report(document: dict[str, Any]) -> Report:
    """The backtest for a person."""
    served = [attempt for attempt in document["attempts"] if not attempt["refusal"]]
    rows = [
        (f"{format_duration(row['horizon'])} {task} {name}", *score_cells(score))
        for row in document["horizons"]
        for task in ("all", "onset")
        for name, score in row[task].items()
    ]
    silent = [
        f"  {format_duration(row['horizon'])}: something was said at {row['said']:.0%} of the moments"
        for row in document["horizons"]
        if row["said"] < 1
    ]
    reasons = sorted({attempt["refusal"] for attempt in document["attempts"] if attempt["refusal"]})
    return Report(
        (
            f"{document['file']}: {document['trace']['rows']} rows, {document['rows']} of them from "
            f"{format_time(document['until'])} on",
            f"{len(document['attempts'])} trainings, {len(served)} of whose models came to serve",
            *(Line(("  ", Toned("refused", "caution"), f": {reason}")) for reason in reasons[:3]),
            *(() if served else ("  the prior, learned on other hosts, served throughout",)),
            heading("scores on what came (onset: only moments at which load was not high)"),
            Table(("horizon", *SCORES), rows),
            *silent,
            *_anomalies(document["anomalies"]),
        )
    )


def _anomalies(seen: dict[str, Any] | None) -> list[str | Line | Table]:
    """What was seen of anomalies, the longest first."""
    if seen is None:
        return ["anomalies: too little history before it to watch for any"]
    events = sorted(seen["events"], key=lambda one: one["began_at"] - one["until"])
    monthly = len(events) * 30 / max(seen["days"], 1e-9)
    rows = [
        (
            format_time(one["began_at"]),
            approximate_duration(one["until"] - one["began_at"]),
            one["channel"],
            ", ".join(f"{name} {share:.0%}" for name, share in list(one["shares"].items())[:3]),
        )
        for one in events[:5]
    ]
    head = heading(f"anomalies: {len(events)} in {seen['days']:.1f} days, {monthly:.1f} in 30")
    return [
        head,
        *([Table(("began", "lasted", "kind", "metrics"), rows, words={"began", "kind", "metrics"})] if rows else []),
    ]
