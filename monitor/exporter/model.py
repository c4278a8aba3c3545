"""What the metrics page tells of the model: what serves, how it was trained, and how good its predictions were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import Metric

from monitor.config.durations import format_duration
from monitor.exporter.metric_families import as_far_as_told, gauge, labelled
from monitor.jobs.scoring import HorizonScore
from monitor.state import DaemonState
from monitor.training.records import is_pretrained
from storage import ModelRecord, TrainingRun


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
        [((str(model.id), model.sha256, str(report.get("features", ""))), 1)],
    )
    yield gauge(
        "model_prior",
        "Whether that is the shipped prior, which has learned nothing of this host.",
        is_pretrained(model),
    )
    yield gauge("model_trained_timestamp_seconds", "When the serving model was trained.", model.created_at)
    yield gauge("model_training_samples", "Samples the serving model was made from.", report.get("samples", 0))
    yield from as_far_as_told(of_holdout(model))


def of_holdout(model: ModelRecord) -> Iterator[Metric]:
    """How a model did on data it never saw."""
    horizons = model.report.get("horizons", [])
    names = {
        "brier": ("brier_score", "Brier score"),
        "brier_skill": ("brier_skill", "Brier skill over the base rate"),
        "average_precision": ("average_precision", "Average precision"),
        "calibration_error": ("calibration_error", "Expected calibration error"),
    }
    for key, (name, text) in names.items():
        values = [((format_duration(h["horizon"]),), h["scores"]["network"][key]) for h in horizons]
        yield labelled(f"model_holdout_{name}", f"{text} on data the serving model never saw.", ["horizon"], values)
    yield labelled(
        "model_share_ratio",
        "How much each voice counts in the serving model's probabilities while load is calm.",
        ["horizon", "voice"],
        [
            ((format_duration(h["horizon"]), voice), share)
            for h in horizons
            for voice, share in h.get("shares", {}).items()
        ],
    )


def of_training(run: TrainingRun) -> Iterator[Metric]:
    """How the last training went."""
    report, health = run.report, run.report["health"]

    def by_parameter(name: str, text: str, key: str) -> Metric:
        return labelled(name, text, ["parameter"], [((p["name"],), p[key]) for p in health["parameters"]])

    yield by_parameter(
        "training_gradient_norm", "L2 norm of the gradient, mean of the last epoch of the last training.", "norm"
    )
    yield by_parameter("training_gradient_norm_max", "Largest L2 norm of the gradient in that training.", "norm_max")
    yield by_parameter(
        "training_update_ratio",
        "L2 norm of the update over that of the weight, mean of the last epoch.",
        "update_ratio",
    )
    yield labelled(
        "training_dead_unit_ratio",
        "Share of the units of an activation layer that no validation row woke.",
        ["layer"],
        [((layer["name"],), layer["dead_ratio"]) for layer in health["layers"]],
    )
    yield labelled(
        "training_activation_saturation_ratio",
        "Share of the outputs of a layer with two ends (tanh, sigmoid) that lay at one of them.",
        ["layer"],
        [((layer["name"],), layer.get("saturation_ratio")) for layer in health["layers"]],
    )
    yield labelled(
        "training_gradient_state",
        "Verdict on the gradients of the last training; exactly one is 1.",
        ["state"],
        [((state,), health["state"] == state) for state in ("healthy", "vanishing", "exploding")],
    )
    yield gauge("training_clipped_steps", "Steps whose gradient was clipped.", health["clipped_steps"])
    yield gauge("training_nonfinite_steps", "Steps whose gradient was not finite.", health["nonfinite_steps"])
    kept = report["epochs"][report["kept_epoch"] - 1]
    yield labelled(
        "training_loss",
        "Mean binary cross-entropy of the kept epoch, in nats.",
        ["split"],
        [((split,), kept[f"{split}_loss"]) for split in ("train", "validation")],
    )
    yield gauge("training_epochs", "Epochs of the last training.", len(report["epochs"]))
    yield gauge("training_duration_seconds", "How long the last training took.", report["seconds"])
    yield gauge("training_peak_memory_bytes", "Largest memory of the trainer.", report["peak_memory_bytes"])


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
        "live_lead_time_seconds": ("Median time of a warning before high load, over 7 days.", lambda s: s.lead),
        "live_predictions_scored": ("Predictions of 7 days of which the outcome is known.", lambda s: s.score.scored),
    }
    for name, (text, value) in told.items():
        values = [((format_duration(found.horizon),), value(found)) for found in scores]
        if any(known is not None for _, known in values):
            yield labelled(name, text, ["horizon"], values)
