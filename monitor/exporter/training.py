"""Metrics of training: outcomes, schedule, and gradient health of the last run."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from monitor.exporter.family_builders import gauge, labelled_counter, labelled_gauge
from monitor.queries.overview import Overview
from monitor.training.report import TrainingReport
from monitor.training.report_parts import EpochReport, GradientReport

GRADIENT_STATES = ("healthy", "vanishing", "exploding")


def retraining_metrics(overview: Overview) -> Iterator[Metric]:
    """Yield the number of training runs by outcome, and the times of the last and the next run."""
    yield labelled_counter(
        "retrain_runs",
        "Number of training runs by outcome, counted from the database; kept across restarts.",
        "outcome",
        overview.runs.items(),
    )
    yield gauge("retrain_running", "Training state: 1 during a training run, else 0.", overview.retrain_running)
    if overview.last_run:
        yield gauge(
            "retrain_last_attempt_timestamp_seconds",
            "Start time of the last training run, in seconds since the epoch.",
            overview.last_run.started_at,
        )
    if overview.last_success:
        yield gauge(
            "retrain_last_success_timestamp_seconds",
            "End time of the last training run whose model was promoted, in seconds since the epoch.",
            overview.last_success.finished_at,
        )
    if overview.next_retrain_at is not None:
        yield gauge(
            "retrain_next_timestamp_seconds",
            "Time at which the next training run is due, in seconds since the epoch.",
            overview.next_retrain_at,
        )


def report_metrics(report: TrainingReport) -> Iterator[Metric]:
    """Yield the metrics of the last training run; nothing if the run fitted no network."""
    if report.health is None or report.kept is None:
        return
    yield from _parameter_metrics(report.health)
    yield from _layer_metrics(report.health)
    yield from _step_metrics(report.health)
    yield from _epoch_metrics(report.kept)
    yield gauge("training_epochs", "Number of epochs of the last training run.", len(report.epochs))
    if report.seconds is not None:
        yield gauge("training_duration_seconds", "Duration of the last training run, in seconds.", report.seconds)
    if report.peak_memory_bytes is not None:
        yield gauge(
            "training_peak_memory_bytes",
            "Peak resident memory of the last training process, in bytes.",
            report.peak_memory_bytes,
        )


def _parameter_metrics(health: GradientReport) -> Iterator[Metric]:
    yield labelled_gauge(
        "training_gradient_norm",
        "L2 norm of the gradient of a parameter before clipping, mean of the last epoch of the last training run.",
        ["parameter"],
        [((parameter.name,), parameter.norm) for parameter in health.parameters],
    )
    yield labelled_gauge(
        "training_gradient_norm_max",
        "Largest L2 norm of the gradient of a parameter in the last training run.",
        ["parameter"],
        [((parameter.name,), parameter.norm_max) for parameter in health.parameters],
    )
    yield labelled_gauge(
        "training_update_ratio",
        "L2 norm of the update over that of the weight, as a ratio, mean of the last epoch of the last training run.",
        ["parameter"],
        [((parameter.name,), parameter.update_ratio) for parameter in health.parameters],
    )


def _layer_metrics(health: GradientReport) -> Iterator[Metric]:
    yield labelled_gauge(
        "training_dead_unit_ratio",
        "Units of an activation layer that are inactive for every validation row, as a ratio.",
        ["layer"],
        [((layer.name,), layer.dead_ratio) for layer in health.layers],
    )
    yield labelled_gauge(
        "training_activation_saturation_ratio",
        "Outputs of a bounded activation (tanh, sigmoid) close to one of its bounds, as a ratio.",
        ["layer"],
        [((layer.name,), layer.saturation_ratio) for layer in health.layers],
    )


def _step_metrics(health: GradientReport) -> Iterator[Metric]:
    yield labelled_gauge(
        "training_gradient_state",
        "Gradient health of the last training run: 1 for the diagnosed state, 0 for the other states.",
        ["state"],
        [((state,), health.state == state) for state in GRADIENT_STATES],
    )
    yield gauge(
        "training_clipped_steps",
        "Number of steps of the last training run whose gradient was clipped.",
        health.clipped_steps,
    )
    yield gauge(
        "training_nonfinite_steps",
        "Number of steps of the last training run whose gradient was not finite.",
        health.nonfinite_steps,
    )


def _epoch_metrics(kept: EpochReport) -> Iterator[Metric]:
    yield labelled_gauge(
        "training_loss",
        "Mean binary cross-entropy of the kept epoch of the last training run, in nats.",
        ["split"],
        [(("train",), kept.train_loss), (("validation",), kept.validation_loss)],
    )
