"""Reports as text for a terminal, a pipe or a mail: plain lines and tables, the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model.baselines import CLIMATOLOGY, CURRENT_VALUE, HOLT_WINTERS, PERSISTENCE
from model.voices import VOICES
from monitor.anomaly_reports import anomaly_line
from monitor.durations import about, format_duration
from monitor.first_model import is_prior
from monitor.overview import DRIFTED, Overview, fresh
from monitor.scoring import HorizonScore
from monitor.serving import Forecast, warns
from monitor.text import figure, moment, percent, table
from storage import ModelRecord, Outcome

PREDICTORS = ("network", HOLT_WINTERS, CURRENT_VALUE, PERSISTENCE, CLIMATOLOGY)


def training_report(
    outcome: Outcome, reason: str, model_id: int | None, report: dict[str, Any], dry: bool = False
) -> str:
    """What a training did: data, losses, scores beside the baselines, health, verdict."""
    name = f"model {model_id}" if model_id is not None else "candidate"
    verdict = f"{name} {'would be ' if dry else ''}{outcome}{f': {reason}' if reason else ''}"
    return "\n".join([*_training(report), "", verdict])


def _training(report: dict[str, Any]) -> list[str]:
    seconds = f" in {report['seconds']:.1f} s" if "seconds" in report else ""
    return [
        f"history   {moment(report['from'])} to {moment(report['to'])}, {report['samples']} samples",
        f"training  {report['rows']} rows of {report['features']} features, {len(report['epochs'])} epochs{seconds}, "
        f"{report['peak_memory_bytes'] / 2**20:.0f} MiB",
        "",
        *_losses(report),
        "",
        *_scores(report),
        *_left_out(report),
        "",
        *_shares(report),
        "",
        *_health(report["health"]),
        "",
        detector_report(report.get("detector", {})),
    ]


def detector_report(told: dict[str, Any]) -> str:
    """What watches for anomalies beside the predictor, or why nothing does."""
    if "at" not in told:
        return f"anomalies are not watched for: {told['reason']}" if "reason" in told else ""
    trial = told["trial"]
    rate = (
        "" if trial["monthly"] is None else f"; {trial['alarms']} alarms in the last {trial['days']} days of its past"
    )
    kept = f", kept: {told['reason']}" if told.get("kept") else ""
    return f"detector of anomalies over {len(told['metrics'])} metrics{rate}{kept}"


def model_report(record: ModelRecord, active: int | None) -> str:
    """One model with the report of its training."""
    serves = "serves now" if record.id == active else f"promoted {moment(record.promoted_at)}"
    head = f"model {record.id}, {serves}, {record.size} bytes, sha256 {record.sha256}"
    head += f"\n{imported(record)}" if imported(record) else ""
    if is_prior(record):
        detector = detector_report(record.report.get("detector", {}))
        prior = "a prior: learned on other hosts; it serves until a model of this host does"
        return "\n".join([head, prior, *([detector] if detector else [])])
    try:
        told = _training(record.report)
    except KeyError:
        told = ["its training was reported by another release: --json shows what that said"]
    return "\n".join([head, *told])


def imported(record: ModelRecord) -> str:
    """Where a model comes from that was brought in; empty for one that was made here."""
    if "imported_from" not in record.report:
        return ""
    return f"imported at {moment(record.report.get('imported_at'))}, trained on {record.report['imported_from']}"


def _losses(report: dict[str, Any]) -> list[str]:
    """The loss curve: at most ten epochs, the first, the kept and the last among them."""
    epochs, kept = report["epochs"], report["kept_epoch"]
    shown = {1, kept, len(epochs), *range(1, len(epochs) + 1, max(1, len(epochs) // 7))}
    worst = max(epoch["validation_loss"] for epoch in epochs)
    rows = [
        (
            f"{epoch['number']}{' kept' if epoch['number'] == kept else ''}",
            figure(epoch["train_loss"], 4),
            figure(epoch["validation_loss"], 4),
            f"{epoch['gradient_norm']:.2e}",
            ("#" * max(1, round(24 * epoch["validation_loss"] / worst)) if worst > 0 else "").ljust(24),
        )
        for epoch in epochs
        if epoch["number"] in shown
    ]
    return ["losses (cross-entropy in nats)", *table(("epoch", "train", "validation", "gradient", ""), rows)]


def _scores(report: dict[str, Any]) -> list[str]:
    rows = []
    for horizon in report["horizons"]:
        for name in PREDICTORS:
            score = horizon["scores"].get(name)
            if score is None:
                continue
            rows.append(
                (
                    f"{format_duration(horizon['horizon'])} {name}",
                    figure(score["brier"], 4),
                    figure(score["brier_skill"]),
                    figure(score["average_precision"]),
                    figure(score["calibration_error"]),
                )
            )
    header = ("horizon", "Brier", "skill", "avg precision", "calibration error")
    return ["scores on the most recent data, which the network never saw", *table(header, rows)]


def _shares(report: dict[str, Any]) -> list[str]:
    """How much each voice counts."""
    rows = [
        (format_duration(horizon["horizon"]), *(percent(share) for share in horizon["shares"].values()))
        for horizon in report["horizons"]
    ]
    return ["how much each voice counts while load is calm", *table(("horizon", *VOICES), rows)]


def _left_out(report: dict[str, Any]) -> list[str]:
    return [f"  {format_duration(left['horizon'])} left out: {left['reason']}" for left in report["left_out"]]


def _health(health: dict[str, Any]) -> list[str]:
    parameters = [
        (p["name"], f"{p['norm']:.2e}", f"{p['norm_max']:.2e}", f"{p['update_ratio']:.2e}")
        for p in health["parameters"]
    ]
    layers = [
        (
            layer["name"],
            percent(layer["dead_ratio"]),
            percent(layer.get("saturation_ratio")),
            figure(layer.get("mean")),
            figure(layer.get("deviation")),
        )
        for layer in health["layers"]
    ]
    advice = health["advice"] if isinstance(health["advice"], list | tuple) else [health["advice"]]
    return [
        f"gradients {health['state']}; "
        f"{health['clipped_steps']} of {health['steps']} steps clipped, {health['nonfinite_steps']} not finite",
        *(f"  {sentence}" for sentence in advice if sentence),
        *table(("parameter", "mean norm", "max norm", "update/weight"), parameters),
        *table(("layer", "dead units", "saturated", "mean output", "deviation"), layers),
    ]


def status_report(overview: Overview, database: str) -> str:
    """The whole in a dozen lines."""
    sample, model, run = overview.last_sample, overview.model, overview.last_run
    sampling = "sampling" if overview.sampling else "not sampling"
    lines = [
        f"daemon      {'running' if overview.daemon_running else 'not running'}, {sampling}; "
        f"last sample {moment(sample.at if sample else None)}",
        f"history     since {moment(overview.oldest_sample_at)}",
        f"database    {database}, {overview.storage_bytes / 2**20:.1f} MiB",
    ]
    if model is None:
        lines.append(f"model       none serves yet: {overview.waiting_for}")
    elif is_prior(model):
        lines.append(
            f"model       {model.id} serves, a prior learned on other hosts; of this one: {overview.waiting_for}"
        )
    else:
        lines.append(f"model       {model.id} serves, trained {moment(model.created_at)}, sha256 {model.sha256[:12]}")
    lines += [
        f"            behind: {name} serves instead for {format_duration(horizon)} while load is {state}"
        for horizon, state, name in overview.instead
    ]
    predictions = fresh(overview)
    lines += [f"prediction  {_prediction(p)}" for p in predictions]
    if model is not None and not predictions:
        lines.append(f"prediction  {'none: the last one is too old' if overview.predictions else 'none yet'}")
    if run is not None:
        lines.append(
            f"training    last {run.outcome} at {moment(run.finished_at)}{': ' + run.reason if run.reason else ''}"
        )
    lines.append(f"anomalies   {anomaly_line(overview)}")
    lines += [f"score       {_score(found)}" for found in overview.scores]
    drifted = [f"{name} {value:.2f}" for name, value in overview.drift if value >= DRIFTED]
    if drifted:
        lines.append(f"drift       the last day is not like the training: {', '.join(drifted)} (index, 0.25 is far)")
    lines.append(f"retraining  {_retraining(overview)}")
    return "\n".join(lines)


def _retraining(overview: Overview) -> str:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in overview.runs.items() if count) or "none yet"
    if overview.retrain_running:
        return f"under way; {counts}"
    due = (
        "as soon as there is enough history" if overview.next_retrain_at is None else moment(overview.next_retrain_at)
    )
    return f"next {due}; {counts}"


def _score(found: HorizonScore) -> str:
    """One horizon over the last days in a line."""
    score = found.score
    if not score.scored:
        return f"{format_duration(found.horizon)}: no outcome is known yet"
    return (
        f"{format_duration(found.horizon)}: {score.scored} scored in 7 days, skill {figure(score.skill)}, "
        f"precision {percent(score.precision)}, recall {percent(score.recall)}, "
        f"warned of {found.warned} of {found.stretches} stretches"
        + (f", {about(found.lead)} before" if found.lead is not None else "")
    )


def scores_report(scores: Sequence[HorizonScore], since: float) -> str:
    """How good the predictions were, with the reliability table."""
    if not scores:
        return (
            f"no prediction made since {moment(since)} has been scored yet: each waits until its horizon has passed"
        )
    rows = [
        (
            format_duration(found.horizon),
            str(found.score.scored),
            str(found.score.unknown),
            percent(found.score.base_rate),
            figure(found.score.brier, 4),
            figure(found.score.skill),
            figure(found.score.skill_over_persistence),
            figure(found.score.onset_skill),
            percent(found.score.precision),
            percent(found.score.recall),
            f"{found.warned} of {found.stretches}",
            "-" if found.lead is None else about(found.lead),
        )
        for found in scores
    ]
    header = (
        "horizon", "scored", "unknown", "came", "Brier", "skill", "over persistence", "onset skill", "precision",
        "recall", "warned of", "before",
    )  # fmt: skip
    lines = [f"predictions made since {moment(since)}, against what happened", *table(header, rows)]
    for found in scores:
        if not found.score.scored:
            continue
        reliable = [
            (percent(row.said), percent(row.came), str(row.scored), ("#" * round(24 * row.came)).ljust(24))
            for row in found.score.reliability
        ]
        off = figure(found.score.calibration_error)
        lines += ["", f"{format_duration(found.horizon)}: what was said and what came (off by {off} on average)"]
        lines += table(("said", "came", "predictions", ""), reliable)
    return "\n".join(lines)


def _prediction(prediction: Any) -> str:
    return (
        f"{prediction.probability:.0%} within {about(prediction.horizon)} "
        f"(usually {prediction.baseline_probability:.0%})" + ("  WARNING" if warns(prediction) else "")
    )


def forecast_report(forecast: Forecast, *, most: int = 4) -> str:
    """Each horizon in a line, with what moved it most: shares of the log-odds, against those of what is usual."""
    lines = []
    for prediction, shares, by in zip(forecast.predictions, forecast.contributions, forecast.served_by, strict=True):
        why = "; ".join(
            f"{forecast.say(group, prediction.horizon)} ({share:+.1f})" for group, share in _largest(shares, most)
        )
        instead = "" if by == "model" else f"said by {by}, which the model has fallen behind; "
        lines.append(f"{_prediction(prediction)}: {instead}{why}")
    return "\n".join(lines)


def _largest(shares: dict[str, float], most: int) -> list[tuple[str, float]]:
    """Those worth a word."""
    ordered = sorted(shares.items(), key=lambda share: -abs(share[1]))
    return [(group, share) for group, share in ordered[:most] if abs(share) >= 0.05] or ordered[:1]


def models_report(records: Sequence[ModelRecord], active: int | None) -> str:
    """One line a model, newest first."""
    rows = [
        (
            " ".join([str(record.id), *_marks(record, active)]),
            moment(record.created_at),
            moment(record.promoted_at),
            str(record.size),
            record.sha256[:12],
        )
        for record in records
    ]
    return "\n".join(table(("model", "trained", "promoted", "bytes", "sha256"), rows)) if rows else "no models yet"


def _marks(record: ModelRecord, active: int | None) -> list[str]:
    """What sets a model apart from others in a list."""
    marks = {"prior": is_prior(record), "imported": bool(imported(record)), "serves": record.id == active}
    return [mark for mark, holds in marks.items() if holds]


def forecast_document(forecast: Forecast) -> list[dict[str, Any]]:
    """The forecast as plain JSON data."""
    return [
        {
            "at": p.at,
            "horizon": p.horizon,
            "horizon_name": format_duration(p.horizon),
            "model_id": p.model_id,
            "probability": p.probability,
            "baseline_probability": p.baseline_probability,
            "threshold": p.threshold,
            "warning": warns(p),
            "served_by": by,
            "contributions": shares,
            "because": [forecast.say(group, p.horizon) for group, _ in _largest(shares, 4)],
        }
        for p, shares, by in zip(forecast.predictions, forecast.contributions, forecast.served_by, strict=True)
    ]
