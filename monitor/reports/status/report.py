"""Status reports: full text for the command, one line for systemd and the readiness endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.serving import out_of_range_message
from monitor.documents.models import ModelSummary
from monitor.documents.scores import HorizonScoreDocument
from monitor.documents.status import StatusDocument
from monitor.documents.storage import quarantine_notice, storage_problems
from monitor.documents.training import RunSummary
from monitor.queries.drift import DRIFT_THRESHOLD
from monitor.queries.overview import Overview
from monitor.reports.anomalies import detection_text
from monitor.reports.blocks import Line, Report, Tone, Toned, labelled_line, toned_skill
from monitor.reports.capacity import capacity_lines
from monitor.reports.prediction import high_load_text, prediction_lines
from monitor.reports.status.channels import channel_lines
from monitor.reports.status.maintenance import maintenance_lines
from monitor.system.formatting import (
    approximate_duration,
    format_bytes,
    format_duration,
    format_percent,
    format_since,
    format_time,
)
from storage import Prediction, TrainingOutcome

if TYPE_CHECKING:
    # Imports the forecasting model, which `monitor status` does not need.
    from monitor.sampling.storage_state import StorageState
    from monitor.state import LiveState

OUTCOME_TONES: dict[TrainingOutcome, Tone] = {
    TrainingOutcome.PROMOTED: "good",
    TrainingOutcome.REFUSED: "caution",
    TrainingOutcome.SKIPPED: "caution",
    TrainingOutcome.FAILED: "bad",
}
"""Meaning of each outcome of a training run, shown as a colour."""

USUAL_WAL_BYTES = 16 * 2**20
"""Largest size in bytes of a write-ahead log that no reader pins: `journal_size_limit` of the database."""


def status_report(status: StatusDocument) -> Report:
    """Return the report of `monitor status`: labelled lines, one or more per subject."""
    running = Toned("running", "good") if status.daemon_running else Toned("not running", "bad")
    sampling = Toned("sampling", "good") if status.sampling else Toned("not sampling", "bad")
    last_sample = format_time(status.last_sample.at if status.last_sample else None)
    return Report(
        (
            *_high_load(status),
            labelled_line("daemon", running, ", ", sampling, f"; last sample {last_sample}"),
            *_future_samples(status),
            labelled_line("history", f"since {format_time(status.oldest_sample_at)}"),
            labelled_line("database", _database(status)),
            *_problems(status),
            *_damaged_rows(status),
            *_model(status),
            *_quarantined(status),
            *prediction_lines(status),
            *_training(status.last_training),
            labelled_line("anomalies", detection_text(status)),
            *maintenance_lines(status),
            *channel_lines(status.notifications),
            *(labelled_line("score", *_score(score)) for score in status.scores),
            *capacity_lines(status.capacity),
            *_drift(status),
            labelled_line("retraining", _retraining(status)),
        )
    )


def _high_load(status: StatusDocument) -> list[Line]:
    since = status.high_load_since
    return [] if since is None else [labelled_line("now", high_load_text(since, status.at))]


def _database(status: StatusDocument) -> str:
    """Return path and size of the database; the size of the write-ahead log as well if a reader lets it grow."""
    pinned = status.wal_bytes > USUAL_WAL_BYTES
    log = f", {format_bytes(status.wal_bytes)} of it in the write-ahead log" if pinned else ""
    return f"{status.database}, {format_bytes(status.storage_bytes)}{log}"


def _problems(status: StatusDocument) -> list[Line]:
    """Return a line for each problem of the running daemon, and one for databases that were moved aside."""
    storage = () if status.storage is None else storage_problems(status.storage)
    hung = [f"{job.job} hangs since {format_time(job.since)}" for job in status.hung_jobs or ()]
    lines = [labelled_line("", Toned(problem, "bad")) for problem in (*storage, *hung)]
    notice = quarantine_notice(status.quarantined_files)
    return [*lines, labelled_line("", Toned(notice, "caution"))] if notice else lines


def _damaged_rows(status: StatusDocument) -> list[Line]:
    if not status.damaged_rows:
        return []
    counts = ", ".join(f"{count} in {table}" for table, count in status.damaged_rows.items())
    return [labelled_line("", Toned("damaged rows", "bad"), f" are left out: {counts}")]


def _quarantined(status: StatusDocument) -> list[Line]:
    texts = [
        f": the {failed.part} of model {failed.model_id} at {format_time(failed.at)}: {failed.detail}"
        for failed in status.quarantined_models
    ]
    return [labelled_line("", Toned("quarantined", "bad"), text) for text in texts]


def _future_samples(status: StatusDocument) -> list[Line]:
    if status.future_sample_at is None:
        return []
    warning = Toned("samples lie in the future", "caution")
    newest = format_time(status.future_sample_at)
    return [labelled_line("", warning, f", the last at {newest}: was the clock set back?")]


def _model(status: StatusDocument) -> list[Line]:
    model = status.model
    if model is None:
        return [labelled_line("model", Toned("none serves yet", "caution"), f": {status.waiting_for}")]
    if model.pretrained:
        serving = f"pretrained on other hosts; no model of this host yet: {status.waiting_for}"
    else:
        origin = f" on {model.imported_from} and imported" if model.imported_from else ""
        serving = f"trained {format_time(model.created_at)}{origin}, sha256 {model.sha256[:12]}"
    return [
        labelled_line("model", f"{model.id} serves, {serving}"),
        *_pretrained_horizons(model),
        *_inputs_out_of_range(status),
        *_fallbacks(status),
    ]


def _pretrained_horizons(model: ModelSummary) -> list[Line]:
    """Return a line that names the horizons of the pretrained model; empty if there are none."""
    if not model.pretrained_horizons:
        return []
    horizons = ", ".join(map(format_duration, model.pretrained_horizons))
    return [labelled_line("", f"{horizons}: pretrained on other hosts, as the history has too few examples")]


def _inputs_out_of_range(status: StatusDocument) -> list[Line]:
    """Return a line that names the metrics left out of the predictions; empty if there are none."""
    metrics = [item.metric for item in status.inputs_out_of_range or ()]
    if not metrics:
        return []
    pronoun = "it" if len(metrics) == 1 else "them"
    message = Toned(out_of_range_message(metrics), "caution")
    return [labelled_line("", message, f": the model predicts without {pronoun}")]


def _fallbacks(status: StatusDocument) -> list[Line]:
    return [
        labelled_line(
            "",
            Toned("fallback", "caution"),
            f": {fallback.baseline} serves for {format_duration(fallback.horizon)} while load is {fallback.load}",
        )
        for fallback in status.fallbacks
    ]


def _training(run: RunSummary | None) -> list[Line]:
    if run is None:
        return []
    reason = f": {run.reason}" if run.reason else ""
    outcome = Toned(run.outcome, OUTCOME_TONES[run.outcome])
    return [labelled_line("training", "last ", outcome, f" at {format_time(run.finished_at)}{reason}")]


def _score(score: HorizonScoreDocument) -> tuple[str | Toned, ...]:
    if not score.scored:
        return (f"{score.horizon_name}: no outcome is known yet",)
    lead_time = ""
    if score.lead_time is not None:
        lead_time = f", median lead time {approximate_duration(score.lead_time)}"
    return (
        f"{score.horizon_name}: {score.scored} scored in 7 days, skill ",
        toned_skill(score.skill),
        f", precision {format_percent(score.precision)}, recall {format_percent(score.recall)}, "
        f"warned before {score.warned_periods} of {score.high_load_periods} high-load periods{lead_time}",
    )


def _drift(status: StatusDocument) -> list[Line]:
    drifted = {metric: index for metric, index in status.input_drift.items() if index >= DRIFT_THRESHOLD}
    if not drifted:
        return []
    text = ", ".join(f"{metric} {index:.2f}" for metric, index in drifted.items())
    note = f" (population stability index; from {DRIFT_THRESHOLD} the input differs from the training data)"
    return [labelled_line("drift", Toned(text, "caution"), note)]


def _retraining(status: StatusDocument) -> str:
    retrain = status.retrain
    counts = ", ".join(f"{count} {outcome}" for outcome, count in retrain.runs.items() if count) or "none yet"
    if retrain.running:
        return f"in progress; {counts}"
    due = "as soon as there is enough history"
    if retrain.next_at is not None:
        due = format_time(retrain.next_at)
    return f"next {due}; {counts}"


def model_line(live: LiveState | None, overview: Overview | None) -> str:
    """Return a phrase that names the serving model, if any, and states why no model of this host serves yet."""
    pending = overview.waiting_for if overview else ""
    if live is not None and live.model_id is not None:
        own = f"; no model of this host yet: {pending}" if pending else ""
        return f"model {live.model_id} serves{own}"
    return f"no model serves yet: {pending}" if pending else "no model serves yet"


def status_line(live: LiveState, overview: Overview | None, storage: StorageState) -> str:
    """Return one line: samples not yet stored, serving model, and probabilities of high load."""
    parts = ["sampling"]
    # One sample may be about to be stored.
    if storage.problem or storage.samples_buffered > 1:
        problem = f": {storage.problem.value}" if storage.problem else ""
        parts.append(f"{storage.samples_buffered} samples wait for the database{problem}")
    parts.append(model_line(live, overview))
    if live.forecast is not None:
        probabilities = [_probability_text(prediction) for prediction in live.forecast.predictions]
        if live.high_load_since is None:
            parts.append(f"high load: {', '.join(probabilities)}")
        else:
            since = format_since(live.high_load_since, live.sample.at)
            parts.append(f"high load since {since}; it continues or returns: {', '.join(probabilities)}")
    elif live.high_load is None:
        parts.append("high load unknown")
    return "; ".join(parts)


def _probability_text(prediction: Prediction) -> str:
    text = f"{format_percent(prediction.probability)} within {approximate_duration(prediction.horizon)}"
    return f"{text} (warning)" if prediction.warning else text
