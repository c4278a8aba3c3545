"""The whole in a dozen lines: what `monitor status` prints."""

from __future__ import annotations

from monitor.queries.scores import HorizonScore
from monitor.queries.status import DRIFTED, Overview, fresh
from monitor.reports.anomalies import anomaly_line
from monitor.reports.blocks import Line, Report, Tone, Toned, fact, skill
from monitor.reports.predictions import probability
from monitor.system.formatting import approximate_duration, format_duration, format_percent, format_time
from monitor.training.records import CompletedRun
from storage import TrainingOutcome

OUTCOMES: dict[TrainingOutcome, Tone] = {
    TrainingOutcome.PROMOTED: "good",
    TrainingOutcome.REFUSED: "caution",
    TrainingOutcome.SKIPPED: "caution",
    TrainingOutcome.FAILED: "bad",
}
"""What it means that a training ended so."""


def status_report(overview: Overview, database: str) -> Report:
    """Is it sampling, what does it predict, what serves, how did the last training go, how good was it."""
    sample = overview.last_sample
    running = Toned("running", "good") if overview.daemon_running else Toned("not running", "bad")
    sampling = Toned("sampling", "good") if overview.sampling else Toned("not sampling", "bad")
    return Report(
        (
            fact("daemon", running, ", ", sampling, f"; last sample {format_time(sample.at if sample else None)}"),
            *_future(overview),
            fact("history", f"since {format_time(overview.oldest_sample_at)}"),
            fact("database", f"{database}, {overview.storage_bytes / 2**20:.1f} MiB"),
            *_model(overview),
            *_predictions(overview),
            *_training(overview.last_run),
            fact("anomalies", Toned(anomaly_line(overview), "bad" if overview.anomaly is not None else None)),
            *(fact("score", *_score(found)) for found in overview.scores),
            *_drift(overview),
            fact("retraining", _retraining(overview)),
        )
    )


def _future(overview: Overview) -> list[Line]:
    if overview.future_at is None:
        return []
    told = Toned("samples lie in the future", "caution")
    return [fact("", told, f", the last at {format_time(overview.future_at)}: was the clock set back?")]


def _model(overview: Overview) -> list[Line]:
    model = overview.model
    if model is None:
        serves = fact("model", Toned("none serves yet", "caution"), f": {overview.waiting_for}")
    elif model.pretrained:
        own = f"a prior learned on other hosts; of this one: {overview.waiting_for}"
        serves = fact("model", f"{model.id} serves, {own}")
    else:
        host = model.imported_from
        trained = f"trained {format_time(model.created_at)}{f' on {host} and imported' if host else ''}"
        serves = fact("model", f"{model.id} serves, {trained}, sha256 {model.sha256[:12]}")
    behind = [
        fact(
            "", Toned("behind", "caution"), f": {name} serves instead for {format_duration(h)} while load is {state}"
        )
        for h, state, name in overview.instead
    ]
    return [serves, *behind]


def _predictions(overview: Overview) -> list[Line]:
    predictions = fresh(overview)
    if predictions or overview.model is None:
        return [fact("prediction", *probability(prediction)) for prediction in predictions]
    return [fact("prediction", "none: the last one is too old" if overview.predictions else "none yet")]


def _training(run: CompletedRun | None) -> list[Line]:
    if run is None:
        return []
    why = f": {run.reason}" if run.reason else ""
    return [
        fact(
            "training", "last ", Toned(run.outcome, OUTCOMES[run.outcome]), f" at {format_time(run.finished_at)}{why}"
        )
    ]


def _score(found: HorizonScore) -> tuple[str | Toned, ...]:
    """One horizon over the last days in a line."""
    score, horizon = found.score, format_duration(found.horizon)
    if not score.scored:
        return (f"{horizon}: no outcome is known yet",)
    before = f", {approximate_duration(found.lead_time)} before" if found.lead_time is not None else ""
    return (
        f"{horizon}: {score.scored} scored in 7 days, skill ",
        skill(score.skill),
        f", precision {format_percent(score.precision)}, recall {format_percent(score.recall)}, "
        f"warned of {found.warned_periods} of {found.periods} stretches{before}",
    )


def _drift(overview: Overview) -> list[Line]:
    drifted = ", ".join(f"{name} {value:.2f}" for name, value in overview.drift if value >= DRIFTED)
    if not drifted:
        return []
    told = ("the last day is not like the training: ", Toned(drifted, "caution"), " (index, 0.25 is far)")
    return [fact("drift", *told)]


def _retraining(overview: Overview) -> str:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in overview.runs.items() if count) or "none yet"
    if overview.retrain_running:
        return f"under way; {counts}"
    due = (
        "as soon as there is enough history"
        if overview.next_retrain_at is None
        else format_time(overview.next_retrain_at)
    )
    return f"next {due}; {counts}"
