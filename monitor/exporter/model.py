"""What the metrics page tells of the model: what serves, how it was trained, and how good its predictions were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from prometheus_client.core import Metric

from monitor.exporter.metric_families import gauge, labelled
from monitor.queries.scores import HorizonScore
from monitor.state import DaemonState
from monitor.system.formatting import format_duration
from monitor.training.report import MODEL_SCORES, TrainingReport
from monitor.training.report_parts import HorizonReport, ParameterReport, ScoreReport


def of_model(status: DaemonState) -> Iterator[Metric]:
    """What serves, and how it did on the holdout of its training."""
    ready = status.live is not None and status.live.model_id is not None
    yield gauge("model_ready", "Whether a model serves.", ready)
    model = status.overview.model if status.overview else None
    if model is None:
        return
    report = model.report
    yield labelled(
        "model_info",
        "The serving model.",
        ["model_id", "sha256", "features"],
        [((str(model.id), model.sha256, "" if report is None else str(report.features)), 1)],
    )
    yield gauge(
        "model_prior", "Whether that is the shipped prior, which has learned nothing of this host.", model.pretrained
    )
    yield gauge("model_trained_timestamp_seconds", "When the serving model was trained.", model.created_at)
    samples = 0 if report is None else report.samples
    yield gauge("model_training_samples", "Samples the serving model was made from.", samples)
    if report is not None:
        yield from _holdout(report.horizons)


def _holdout(horizons: Sequence[HorizonReport]) -> Iterator[Metric]:
    """Yield the scores of the serving model on the holdout, and its blend weights."""
    scores: dict[str, tuple[str, Callable[[ScoreReport], float | None]]] = {
        "brier_score": ("Brier score", lambda score: score.brier),
        "brier_skill": ("Brier skill over the base rate", lambda score: score.brier_skill),
        "average_precision": ("Average precision", lambda score: score.average_precision),
        "calibration_error": ("Expected calibration error", lambda score: score.calibration_error),
    }
    own = [(format_duration(h.horizon), h.scores[MODEL_SCORES]) for h in horizons if MODEL_SCORES in h.scores]
    for name, (text, value) in scores.items():
        values = [((horizon,), value(score)) for horizon, score in own]
        yield labelled(f"model_holdout_{name}", f"{text} on data the serving model never saw.", ["horizon"], values)
    yield labelled(
        "model_share_ratio",
        "How much each voice counts in the serving model's probabilities while load is calm.",
        ["horizon", "voice"],
        [
            ((format_duration(h.horizon), expert), weight)
            for h in horizons
            if h.blend_weights is not None
            for expert, weight in asdict(h.blend_weights).items()
        ],
    )


def of_training(report: TrainingReport) -> Iterator[Metric]:
    """Yield the figures of the last training; none if it fitted no network."""
    health, kept = report.health, report.kept
    if health is None or kept is None:
        return

    def by_parameter(name: str, text: str, value: Callable[[ParameterReport], float]) -> Metric:
        return labelled(name, text, ["parameter"], [((p.name,), value(p)) for p in health.parameters])

    yield by_parameter(
        "training_gradient_norm",
        "L2 norm of the gradient, mean of the last epoch of the last training.",
        lambda parameter: parameter.norm,
    )
    yield by_parameter(
        "training_gradient_norm_max",
        "Largest L2 norm of the gradient in that training.",
        lambda parameter: parameter.norm_max,
    )
    yield by_parameter(
        "training_update_ratio",
        "L2 norm of the update over that of the weight, mean of the last epoch.",
        lambda parameter: parameter.update_ratio,
    )
    yield labelled(
        "training_dead_unit_ratio",
        "Share of the units of an activation layer that no validation row woke.",
        ["layer"],
        [((layer.name,), layer.dead_ratio) for layer in health.layers],
    )
    yield labelled(
        "training_activation_saturation_ratio",
        "Share of the outputs of a layer with two ends (tanh, sigmoid) that lay at one of them.",
        ["layer"],
        [((layer.name,), layer.saturation_ratio) for layer in health.layers],
    )
    yield labelled(
        "training_gradient_state",
        "Verdict on the gradients of the last training; exactly one is 1.",
        ["state"],
        [((state,), health.state == state) for state in ("healthy", "vanishing", "exploding")],
    )
    yield gauge("training_clipped_steps", "Steps whose gradient was clipped.", health.clipped_steps)
    yield gauge("training_nonfinite_steps", "Steps whose gradient was not finite.", health.nonfinite_steps)
    yield labelled(
        "training_loss",
        "Mean binary cross-entropy of the kept epoch, in nats.",
        ["split"],
        [(("train",), kept.train_loss), (("validation",), kept.validation_loss)],
    )
    yield gauge("training_epochs", "Epochs of the last training.", len(report.epochs))
    if report.seconds is not None:
        yield gauge("training_duration_seconds", "How long the last training took.", report.seconds)
    if report.peak_memory_bytes is not None:
        yield gauge("training_peak_memory_bytes", "Largest memory of the trainer.", report.peak_memory_bytes)


def of_scores(scores: Sequence[HorizonScore]) -> Iterator[Metric]:
    """What became of what was predicted."""
    told: dict[str, tuple[str, Callable[[HorizonScore], float | None]]] = {
        "live_brier_score": ("Brier score of its own predictions of 7 days.", lambda s: s.score.brier),
        "live_brier_skill": ("1 - Brier score over that of the base rate, over 7 days.", lambda s: s.score.skill),
        "live_precision": ("Share of the warnings of 7 days that came true.", lambda s: s.score.precision),
        "live_recall": (
            "Share of the predictions of 7 days before high load that were warnings.",
            lambda s: s.score.recall,
        ),
        "live_lead_time_seconds": ("Median time of a warning before high load, over 7 days.", lambda s: s.lead_time),
        "live_predictions_scored": ("Predictions of 7 days of which the outcome is known.", lambda s: s.score.scored),
    }
    for name, (text, value) in told.items():
        values = [((format_duration(found.horizon),), value(found)) for found in scores]
        if any(known is not None for _, known in values):
            yield labelled(name, text, ["horizon"], values)
