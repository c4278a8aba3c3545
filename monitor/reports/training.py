"""What a training did, and the models that came of trainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from model.forecast.baselines import CLIMATOLOGY, CURRENT_VALUE, HOLT_WINTERS, PERSISTENCE
from model.forecast.blend import EXPERTS
from monitor.reports.blocks import BAR, SCORES, Bar, Line, Report, Table, Tone, Toned, heading, score_cells
from monitor.reports.status import OUTCOMES
from monitor.system.formatting import format_duration, format_number, format_percent, format_time
from monitor.training.records import RegisteredModel
from monitor.training.report import TrainingReport
from monitor.training.report_parts import DetectorReport, GradientReport
from storage import TrainingOutcome

MODELS = ("model", "trained", "promoted", "bytes", "sha256")

PREDICTORS = ("network", HOLT_WINTERS, CURRENT_VALUE, PERSISTENCE, CLIMATOLOGY)

GRADIENTS: dict[str, Tone] = {"healthy": "good", "vanishing": "bad", "exploding": "bad"}

Blocks = tuple[str | Line | Table, ...]


def training_report(
    outcome: TrainingOutcome, reason: str, model_id: int | None, report: TrainingReport, dry: bool = False
) -> Report:
    """What a training did: data, losses, scores beside the baselines, health, verdict."""
    name = f"model {model_id}" if model_id is not None else "candidate"
    why = f": {reason}" if reason else ""
    verdict = Line((f"{name} {'would be ' if dry else ''}", Toned(outcome, OUTCOMES[outcome]), why))
    return Report((*training_lines(report), "", verdict))


def training_lines(report: TrainingReport) -> Blocks:
    """Return the blocks of a training's report; only the detector's if it fitted no network."""
    health = report.health
    if health is None:
        return (detector_report(report.detector),)
    seconds = f" in {report.seconds:.1f} s" if report.seconds is not None else ""
    memory = f", {report.peak_memory_bytes / 2**20:.0f} MiB" if report.peak_memory_bytes is not None else ""
    return (
        Line((f"{format_time(report.from_)} to {format_time(report.to)}, {report.samples} samples",), "history   "),
        Line(
            (f"{report.rows} rows of {report.features} features, {len(report.epochs)} epochs{seconds}{memory}",),
            "training  ",
        ),
        "",
        *_losses(report),
        "",
        *_scores(report),
        *_left_out(report),
        "",
        *_shares(report),
        "",
        *_health(health),
        "",
        detector_report(report.detector),
    )


def detector_report(detector: DetectorReport | None) -> str:
    """What watches for anomalies beside the predictor, or why nothing does."""
    if detector is None:
        return ""
    if detector.at is None:
        return f"anomalies are not watched for: {detector.reason}" if detector.reason else ""
    trial = detector.trial
    rate = ""
    if trial is not None and trial.monthly is not None:
        rate = f"; {trial.alarms} alarms in the last {trial.days} days of its past"
    kept = f", kept: {detector.reason}" if detector.kept else ""
    return f"detector of anomalies over {len(detector.metrics)} metrics{rate}{kept}"


def model_report(record: RegisteredModel, active: int | None) -> Report:
    """One model with the report of its training."""
    serves = Toned("serves now", "good") if record.id == active else f"promoted {format_time(record.promoted_at)}"
    head = Line((f"model {record.id}, ", serves, f", {record.size} bytes, sha256 {record.sha256}"))
    first = (head, imported(record)) if imported(record) else (head,)
    if record.report is None:
        return Report((*first, f"the report of its training cannot be used: {_problem(record)}"))
    if record.pretrained:
        detector = detector_report(record.report.detector)
        prior = "a prior: learned on other hosts; it serves until a model of this host does"
        return Report((*first, prior, *([detector] if detector else [])))
    return Report((*first, *training_lines(record.report)))


def _problem(record: RegisteredModel) -> str:
    return "there is none" if record.report_problem is None else record.report_problem.message


def imported(record: RegisteredModel) -> str:
    """Where a model comes from that was brought in; empty for one that was made here."""
    if record.report is None or record.report.imported_from is None:
        return ""
    return f"imported at {format_time(record.report.imported_at)}, trained on {record.report.imported_from}"


def _marks(record: RegisteredModel, active: int | None) -> list[str]:
    """What sets a model apart from others in a list."""
    marks = {"prior": record.pretrained, "imported": bool(imported(record)), "serves": record.id == active}
    return [mark for mark, holds in marks.items() if holds]


def models_document(records: Sequence[RegisteredModel], active: int | None) -> list[dict[str, Any]]:
    """The same as plain JSON data, without their reports."""
    return [
        {k: v for k, v in asdict(record).items() if k not in ("report", "report_problem")}
        | {"serving": record.id == active, "imported_from": record.imported_from}
        for record in records
    ]


def models_report(records: Sequence[RegisteredModel], active: int | None) -> Report:
    """One line a model, newest first."""
    rows = [
        (
            Toned(" ".join([str(record.id), *_marks(record, active)]), "good" if record.id == active else None),
            format_time(record.created_at),
            format_time(record.promoted_at),
            str(record.size),
            record.sha256[:12],
        )
        for record in records
    ]
    return Report((Table(MODELS, rows, words={"trained", "promoted"}),) if rows else ("no models yet",))


def _losses(report: TrainingReport) -> Blocks:
    """The loss curve: at most ten epochs, the first, the kept and the last among them."""
    epochs, kept = report.epochs, report.kept_epoch
    shown = {1, kept, len(epochs), *range(1, len(epochs) + 1, max(1, len(epochs) // 7))}
    worst = max(epoch.validation_loss for epoch in epochs)
    rows = [
        (
            Toned(f"{epoch.number} kept", "good") if epoch.number == kept else str(epoch.number),
            format_number(epoch.train_loss, 4),
            format_number(epoch.validation_loss, 4),
            f"{epoch.gradient_norm:.2e}",
            Bar(max(1 / BAR, epoch.validation_loss / worst) if worst > 0 else 0.0),
        )
        for epoch in epochs
        if epoch.number in shown
    ]
    header = ("epoch", "train", "validation", "gradient", "")
    return heading("losses (cross-entropy in nats)"), Table(header, rows)


def _scores(report: TrainingReport) -> Blocks:
    rows = [
        (f"{format_duration(horizon.horizon)} {name}", *score_cells(asdict(horizon.scores[name])))
        for horizon in report.horizons
        for name in PREDICTORS
        if name in horizon.scores
    ]
    head = heading("scores on the most recent data, which the network never saw")
    return head, Table(("horizon", *SCORES), rows)


def _shares(report: TrainingReport) -> Blocks:
    """How much each voice counts."""
    rows = [
        (
            format_duration(horizon.horizon),
            *(format_percent(weight) for weight in asdict(horizon.blend_weights).values()),
        )
        for horizon in report.horizons
        if horizon.blend_weights is not None
    ]
    return heading("how much each voice counts while load is calm"), Table(("horizon", *EXPERTS), rows)


def _left_out(report: TrainingReport) -> list[str]:
    return [f"  {format_duration(omitted.horizon)} left out: {omitted.reason}" for omitted in report.left_out]


def _health(health: GradientReport) -> Blocks:
    parameters = [(p.name, f"{p.norm:.2e}", f"{p.norm_max:.2e}", f"{p.update_ratio:.2e}") for p in health.parameters]
    layers = [
        (
            layer.name,
            format_percent(layer.dead_ratio),
            format_percent(layer.saturation_ratio),
            format_number(layer.mean),
            format_number(layer.deviation),
        )
        for layer in health.layers
    ]
    steps = f"{health.clipped_steps} of {health.steps} steps clipped, {health.nonfinite_steps} not finite"
    return (
        Line((Toned("gradients ", "heading"), Toned(health.state, GRADIENTS[health.state]), f"; {steps}")),
        *(Line((Toned(f"  {sentence}", "caution"),)) for sentence in health.advice),
        Table(("parameter", "mean norm", "max norm", "update/weight"), parameters),
        Table(("layer", "dead units", "saturated", "mean output", "deviation"), layers),
    )
