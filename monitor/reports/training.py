"""What a training did, and the models that came of trainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from model.forecast.baselines import CLIMATOLOGY, CURRENT_VALUE, HOLT_WINTERS, PERSISTENCE
from model.forecast.blend import EXPERTS
from monitor.config.durations import format_duration
from monitor.reports.blocks import (
    BAR,
    SCORES,
    Bar,
    Line,
    Report,
    Table,
    Tone,
    Toned,
    figure,
    heading,
    moment,
    percent,
    score_cells,
)
from monitor.reports.status import OUTCOMES
from monitor.training.records import is_pretrained
from storage import ModelRecord, Outcome

MODELS = ("model", "trained", "promoted", "bytes", "sha256")

PREDICTORS = ("network", HOLT_WINTERS, CURRENT_VALUE, PERSISTENCE, CLIMATOLOGY)

GRADIENTS: dict[str, Tone] = {"healthy": "good", "vanishing": "bad", "exploding": "bad"}

Blocks = tuple[str | Line | Table, ...]


def training_report(
    outcome: Outcome, reason: str, model_id: int | None, report: dict[str, Any], dry: bool = False
) -> Report:
    """What a training did: data, losses, scores beside the baselines, health, verdict."""
    name = f"model {model_id}" if model_id is not None else "candidate"
    why = f": {reason}" if reason else ""
    verdict = Line((f"{name} {'would be ' if dry else ''}", Toned(outcome, OUTCOMES[outcome]), why))
    return Report((*training_lines(report), "", verdict))


def training_lines(report: dict[str, Any]) -> Blocks:
    """What the report of a training tells; KeyError where another release has written it."""
    seconds = f" in {report['seconds']:.1f} s" if "seconds" in report else ""
    return (
        Line((f"{moment(report['from'])} to {moment(report['to'])}, {report['samples']} samples",), "history   "),
        Line(
            (
                f"{report['rows']} rows of {report['features']} features, {len(report['epochs'])} epochs{seconds}, "
                f"{report['peak_memory_bytes'] / 2**20:.0f} MiB",
            ),
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
        *_health(report["health"]),
        "",
        detector_report(report.get("detector", {})),
    )


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


def model_report(record: ModelRecord, active: int | None) -> Report:
    """One model with the report of its training."""
    serves = Toned("serves now", "good") if record.id == active else f"promoted {moment(record.promoted_at)}"
    head = Line((f"model {record.id}, ", serves, f", {record.size} bytes, sha256 {record.sha256}"))
    first = (head, imported(record)) if imported(record) else (head,)
    if is_pretrained(record):
        detector = detector_report(record.report.get("detector", {}))
        prior = "a prior: learned on other hosts; it serves until a model of this host does"
        return Report((*first, prior, *([detector] if detector else [])))
    try:
        told = training_lines(record.report)
    except KeyError:
        told = ("its training was reported by another release: --json shows what that said",)
    return Report((*first, *told))


def imported(record: ModelRecord) -> str:
    """Where a model comes from that was brought in; empty for one that was made here."""
    if "imported_from" not in record.report:
        return ""
    return f"imported at {moment(record.report.get('imported_at'))}, trained on {record.report['imported_from']}"


def _marks(record: ModelRecord, active: int | None) -> list[str]:
    """What sets a model apart from others in a list."""
    marks = {"prior": is_pretrained(record), "imported": bool(imported(record)), "serves": record.id == active}
    return [mark for mark, holds in marks.items() if holds]


def models_document(records: Sequence[ModelRecord], active: int | None) -> list[dict[str, Any]]:
    """The same as plain JSON data, without their reports."""
    return [
        {k: v for k, v in asdict(record).items() if k != "report"}
        | {"serving": record.id == active, "imported_from": record.report.get("imported_from")}
        for record in records
    ]


def models_report(records: Sequence[ModelRecord], active: int | None) -> Report:
    """One line a model, newest first."""
    rows = [
        (
            Toned(" ".join([str(record.id), *_marks(record, active)]), "good" if record.id == active else None),
            moment(record.created_at),
            moment(record.promoted_at),
            str(record.size),
            record.sha256[:12],
        )
        for record in records
    ]
    return Report((Table(MODELS, rows, words={"trained", "promoted"}),) if rows else ("no models yet",))


def _losses(report: dict[str, Any]) -> Blocks:
    """The loss curve: at most ten epochs, the first, the kept and the last among them."""
    epochs, kept = report["epochs"], report["kept_epoch"]
    shown = {1, kept, len(epochs), *range(1, len(epochs) + 1, max(1, len(epochs) // 7))}
    worst = max(epoch["validation_loss"] for epoch in epochs)
    rows = [
        (
            Toned(f"{epoch['number']} kept", "good") if epoch["number"] == kept else str(epoch["number"]),
            figure(epoch["train_loss"], 4),
            figure(epoch["validation_loss"], 4),
            f"{epoch['gradient_norm']:.2e}",
            Bar(max(1 / BAR, epoch["validation_loss"] / worst) if worst > 0 else 0.0),
        )
        for epoch in epochs
        if epoch["number"] in shown
    ]
    header = ("epoch", "train", "validation", "gradient", "")
    return heading("losses (cross-entropy in nats)"), Table(header, rows)


def _scores(report: dict[str, Any]) -> Blocks:
    rows = [
        (f"{format_duration(horizon['horizon'])} {name}", *score_cells(horizon["scores"][name]))
        for horizon in report["horizons"]
        for name in PREDICTORS
        if horizon["scores"].get(name) is not None
    ]
    head = heading("scores on the most recent data, which the network never saw")
    return head, Table(("horizon", *SCORES), rows)


def _shares(report: dict[str, Any]) -> Blocks:
    """How much each voice counts."""
    rows = [
        (format_duration(horizon["horizon"]), *(percent(share) for share in horizon["shares"].values()))
        for horizon in report["horizons"]
    ]
    return heading("how much each voice counts while load is calm"), Table(("horizon", *EXPERTS), rows)


def _left_out(report: dict[str, Any]) -> list[str]:
    return [f"  {format_duration(left['horizon'])} left out: {left['reason']}" for left in report["left_out"]]


def _health(health: dict[str, Any]) -> Blocks:
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
    steps = f"{health['clipped_steps']} of {health['steps']} steps clipped, {health['nonfinite_steps']} not finite"
    return (
        Line((Toned("gradients ", "heading"), Toned(health["state"], GRADIENTS.get(health["state"])), f"; {steps}")),
        *(Line((Toned(f"  {sentence}", "caution"),)) for sentence in advice if sentence),
        Table(("parameter", "mean norm", "max norm", "update/weight"), parameters),
        Table(("layer", "dead units", "saturated", "mean output", "deviation"), layers),
    )
