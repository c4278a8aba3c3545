"""Training report: history, losses, holdout scores, gradient health, detector, verdict."""

from __future__ import annotations

from collections.abc import Sequence

from model.forecast.baselines import CLIMATOLOGY, CURRENT_VALUE, HOLT_WINTERS, PERSISTENCE
from model.training.refusal import ComparisonSkip
from monitor.documents.training import ReplayDocument, RetrainDocument
from monitor.reports.blocks import (
    BAR_WIDTH,
    SCORE_COLUMNS,
    Bar,
    Block,
    Line,
    Report,
    Table,
    Tone,
    Toned,
    heading,
    score_cells,
)
from monitor.reports.status.report import OUTCOME_TONES
from monitor.system.formatting import (
    format_bytes,
    format_count,
    format_duration,
    format_number,
    format_percent,
    format_scientific,
    format_time,
)
from monitor.training.report import MODEL_SCORES, TrainingReport
from monitor.training.report_parts import DetectorReport, GradientReport, OmittedHorizon

PREDICTORS = (MODEL_SCORES, HOLT_WINTERS, CURRENT_VALUE, PERSISTENCE, CLIMATOLOGY)
"""Order of the predictors in the score table."""

STATE_TONES: dict[str, Tone] = {"healthy": "good", "vanishing": "bad", "exploding": "bad"}

LISTED_EPOCHS = 7
"""Approximate number of equally spaced epochs that are listed; the first, the kept and the last are listed too."""


def retrain_report(document: RetrainDocument) -> Report:
    """Return the report of a training run; only the detector and the outcome if no network was fitted."""
    name = "candidate" if document.model_id is None else f"model {document.model_id}"
    reason = f": {document.reason}" if document.reason else ""
    outcome = Toned(document.outcome, OUTCOME_TONES[document.outcome])
    verdict = Line((f"{name} {'would be ' if document.dry_run else ''}", outcome, reason))
    end = (verdict, *_replayed(document.replayed))
    report = document.report
    if report is None:
        return Report(end)
    if report.health is None:
        detector = detector_text(report.detector)
        return Report((detector, *end) if detector else end)
    return Report((*training_blocks(report), "", *end))


def _replayed(document: ReplayDocument | None) -> tuple[Block, ...]:
    """Return a line with the numbers of replayed predictions and anomalies; empty if none was stored."""
    if document is None or not (document.predictions or document.anomalies):
        return ()
    predictions = format_count(document.predictions, "prediction")
    anomalies = format_count(document.anomalies, "anomaly", "anomalies")
    return (f"replayed over the history without live predictions: {predictions}, {anomalies}",)


def training_blocks(report: TrainingReport) -> tuple[Block, ...]:
    """Return the blocks of a training report; only the line for the detector if no network was fitted."""
    health = report.health
    if health is None:
        return (detector_text(report.detector),)
    return (
        *_history(report),
        "",
        *_losses(report),
        "",
        *_scores(report),
        *(_left_out(left, report.pretrained_horizons) for left in report.left_out),
        *_comparison(report.comparison_skip),
        "",
        *_blend_weights(report),
        "",
        *_gradients(health),
        "",
        detector_text(report.detector),
    )


def _left_out(left: OmittedHorizon, pretrained: Sequence[float]) -> str:
    """Return a line that states why no network of this host predicts a horizon, and if the pretrained model does."""
    state = "served by the pretrained model" if left.horizon in pretrained else "left out"
    return f"  {format_duration(left.horizon)} {state}: {left.reason}"


def detector_text(detector: DetectorReport | None) -> str:
    """Return a phrase that describes the anomaly detector or why there is none; empty if neither is known."""
    if detector is None:
        return ""
    if detector.at is None:
        return f"no anomaly detector: {detector.reason}" if detector.reason else ""
    validation = detector.validation
    alarms = ""
    if validation is not None and validation.monthly is not None:
        alarms = f"; {validation.alarms} alarms in a replay of its last {validation.days} days"
    kept = f", kept: {detector.reason}" if detector.kept else ""
    return f"anomaly detector over {len(detector.metrics)} metrics{alarms}{kept}"


def _history(report: TrainingReport) -> tuple[Block, ...]:
    period = f"{format_time(report.from_)} to {format_time(report.to)}"
    duration = "" if report.seconds is None else f" in {report.seconds:.1f} s"
    memory = "" if report.peak_memory_bytes is None else f", {format_bytes(report.peak_memory_bytes, 0)}"
    size = f"{report.rows} rows of {report.features} features, {len(report.epochs)} epochs"
    return (
        Line((f"{period}, {report.samples} samples",), "history   "),
        Line((f"{size}{duration}{memory}",), "training  "),
    )


def _losses(report: TrainingReport) -> tuple[Block, ...]:
    """Return a table of the losses at about LISTED_EPOCHS equally spaced epochs, plus the first, kept and last."""
    epochs = report.epochs
    stride = max(1, len(epochs) // LISTED_EPOCHS)
    listed = {1, report.kept_epoch, len(epochs), *range(1, len(epochs) + 1, stride)}
    largest = max(epoch.validation_loss for epoch in epochs)
    rows = [
        (
            Toned(f"{epoch.number} kept", "good") if epoch.number == report.kept_epoch else str(epoch.number),
            format_number(epoch.train_loss, 4),
            format_number(epoch.validation_loss, 4),
            format_scientific(epoch.gradient_norm),
            Bar(max(1 / BAR_WIDTH, epoch.validation_loss / largest) if largest > 0 else 0.0),
        )
        for epoch in epochs
        if epoch.number in listed
    ]
    return heading("losses (cross-entropy in nats)"), Table(("epoch", "train", "validation", "gradient", ""), rows)


def _scores(report: TrainingReport) -> tuple[Block, ...]:
    rows = [
        (f"{format_duration(horizon.horizon)} {name}", *score_cells(horizon.scores[name]))
        for horizon in report.horizons
        for name in PREDICTORS
        if name in horizon.scores
    ]
    folds = f", {report.folds} folds" if report.folds is not None and report.folds > 1 else ""
    return heading(f"scores on the holdout{folds}"), Table(("horizon", *SCORE_COLUMNS), rows)


def _comparison(skip: ComparisonSkip | None) -> tuple[Block, ...]:
    return () if skip is None else (f"  not compared with the incumbent: {skip.message}",)


def _blend_weights(report: TrainingReport) -> tuple[Block, ...]:
    weights = [
        (format_duration(horizon.horizon), horizon.blend_weights)
        for horizon in report.horizons
        if horizon.blend_weights is not None
    ]
    rows = [
        (
            horizon,
            format_percent(weight.network),
            format_percent(weight.load_table),
            format_percent(weight.pretrained),
        )
        for horizon, weight in weights
    ]
    header = ("horizon", "network", "load table", "pretrained")
    return heading("blend weights while load is not high"), Table(header, rows)


def _gradients(health: GradientReport) -> tuple[Block, ...]:
    parameters = [
        (
            parameter.name,
            format_scientific(parameter.norm),
            format_scientific(parameter.norm_max),
            format_scientific(parameter.update_ratio),
        )
        for parameter in health.parameters
    ]
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
    state = Toned(health.state, STATE_TONES[health.state])
    return (
        Line((Toned("gradients ", "heading"), state, f"; {steps}")),
        *(Line((Toned(f"  {sentence}", "caution"),)) for sentence in health.advice),
        Table(("parameter", "mean norm", "max norm", "update/weight"), parameters),
        Table(("layer", "dead units", "saturated", "mean output", "deviation"), layers),
    )
