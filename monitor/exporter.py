"""Every Prometheus metric, and nothing else: one collector over one immutable status.

What is not known is absent, never 0: no model, no probability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from model.standing import BASELINES
from monitor.durations import format_duration
from monitor.first_model import is_prior
from monitor.overview import Overview
from monitor.scoring import HorizonScore
from monitor.serving import warns
from monitor.status import Live, Status
from storage import SAMPLE_FIELDS, ModelRecord, TrainingRun

HOST_HELP: dict[str, tuple[str, str]] = {
    "cpu_usage": ("ratio", "Share of all CPUs that was busy, iowait not counted."),
    "cpu_iowait": ("ratio", "Share of all CPUs that was idle waiting for I/O."),
    "cpu_steal": ("ratio", "Share of all CPUs that the hypervisor gave to others."),
    "load_per_cpu": ("ratio", "1-minute load average over the number of CPUs."),
    "memory_usage": ("ratio", "1 - available / total memory."),
    "swap_usage": ("ratio", "Share of the swap space in use."),
    "network_receive": ("bytes_per_second", "Received over all counted interfaces."),
    "network_transmit": ("bytes_per_second", "Transmitted over all counted interfaces."),
    "network_errors": ("per_second", "Errors and drops over all counted interfaces."),
    "network_usage": ("ratio", "The busier direction of the busiest interface over its link speed."),
    "disk_read": ("bytes_per_second", "Read from all physical disks."),
    "disk_write": ("bytes_per_second", "Written to all physical disks."),
    "disk_busy": ("ratio", "Share of the time in which the busiest disk worked."),
    "pressure_cpu": ("ratio", "Share of the time in which some task waited for a CPU (Linux PSI)."),
    "pressure_memory": ("ratio", "Share of the time in which some task waited for memory (Linux PSI)."),
    "pressure_io": ("ratio", "Share of the time in which some task waited for I/O (Linux PSI)."),
}


class StatusCollector(Collector):
    """Makes the page fresh from the status of the moment it is asked."""

    def __init__(self, status: Callable[[], Status]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Every metric that has a meaning now."""
        status = self._status()
        yield _labelled(
            "build_info",
            "Version of monitor and of Python.",
            ["version", "python"],
            [((status.version, status.python), 1)],
        )
        if status.live:
            yield from _live(status.live, host_metrics=status.host_metrics)
        if status.overview:
            yield from _records(status.overview)
            yield from _scores(status.overview.scores)
        yield from _model(status)
        yield from _jobs(status)
        yield _gauge(
            "config_last_reload_successful", "Whether the last reload took effect.", status.reload_successful
        )
        yield _gauge(
            "config_last_reload_success_timestamp_seconds", "When a configuration last took effect.", status.reload_at
        )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"monitor_{name}", text, value=float(value))


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"monitor_{name}", text, value=value)


def _labelled(
    name: str, text: str, labels: list[str], values: Sequence[tuple[tuple[str, ...], float | None]]
) -> Metric:
    family = GaugeMetricFamily(f"monitor_{name}", text, labels=labels)
    for named, value in values:
        if value is not None:
            family.add_metric(named, float(value))
    return family


def _live(live: Live, *, host_metrics: bool) -> Iterator[Metric]:
    if host_metrics:
        for field in SAMPLE_FIELDS:
            unit, text = HOST_HELP[field]
            value = getattr(live.sample, field)
            if value is not None:
                yield _gauge(f"host_{field}_{unit}", text, value)
    if live.high_load is not None:
        yield _gauge("high_load_active", "Whether high load holds now, for as long as it must last.", live.high_load)
    yield _counter("samples", "Samples taken since the start.", live.samples_total)
    yield _counter("samples_missed", "Samples that should have been taken and were not.", live.samples_missed)
    yield _gauge("last_sample_timestamp_seconds", "Time of the last sample.", live.sample.at)
    states = live.sources.items()
    yield _labelled(
        "source_success", "Whether a source gave its figures.", ["source"], [((n,), s.success) for n, s in states]
    )
    yield _labelled(
        "source_duration_seconds", "How long a source took.", ["source"], [((n,), s.duration) for n, s in states]
    )
    yield _counter("storage_write_failures", "Writes that failed since the start.", live.write_failures)
    yield _gauge("storage_buffered_samples", "Samples waiting in memory for storage.", live.buffered)
    yield from _forecast(live)


def _forecast(live: Live) -> Iterator[Metric]:
    yield _counter("predictions", "Predictions made since the start.", live.predictions_total)
    if live.forecast is None:
        return
    predictions = live.forecast.predictions
    names = [format_duration(p.horizon) for p in predictions]

    def by_horizon(name: str, text: str, values: list[float]) -> Metric:
        return _labelled(name, text, ["horizon"], [((n,), v) for n, v in zip(names, values, strict=True)])

    yield by_horizon(
        "high_load_probability",
        "Calibrated probability that high load occurs within the horizon.",
        [p.probability for p in predictions],
    )
    yield by_horizon(
        "high_load_baseline_probability",
        "How often high load followed within the horizon in the training data, the model aside.",
        [p.baseline_probability for p in predictions],
    )
    yield by_horizon("high_load_warning", "Whether the probability is a warning.", [warns(p) for p in predictions])
    yield by_horizon(
        "high_load_warning_threshold",
        "Probability that a warning needs; less while it stands, 1 never warns.",
        [p.threshold for p in predictions],
    )
    yield _labelled(
        "high_load_served_by",
        "1 for what the probability is of: the model, or a baseline that it has fallen behind.",
        ["horizon", "predictor"],
        [
            ((name, predictor), predictor == by)
            for name, by in zip(names, live.forecast.served_by, strict=True)
            for predictor in ("model", *BASELINES)
        ],
    )
    shares = zip(names, live.forecast.contributions, strict=True)
    yield _labelled(
        "high_load_contribution",
        "Share of each metric in the log-odds, against those of the base rate.",
        ["horizon", "metric"],
        [((name, metric), value) for name, share in shares for metric, value in share.items()],
    )
    yield _gauge("prediction_timestamp_seconds", "Time of the last prediction.", predictions[0].at)


def _model(status: Status) -> Iterator[Metric]:
    ready = status.live is not None and status.live.model_id is not None
    yield _gauge("model_ready", "Whether a model serves.", ready)
    model = status.overview.model if status.overview else None
    if model is None:
        return
    report = model.report
    yield _labelled(
        "model_info",
        "The serving model.",
        ["model_id", "sha256", "features"],
        [((str(model.id), model.sha256, str(report.get("features", ""))), 1)],
    )
    yield _gauge(
        "model_prior", "Whether that is the shipped prior, which has learned nothing of this host.", is_prior(model)
    )
    yield _gauge("model_trained_timestamp_seconds", "When the serving model was trained.", model.created_at)
    yield _gauge("model_training_samples", "Samples the serving model was made from.", report.get("samples", 0))
    yield from _holdout(model)


def _holdout(model: ModelRecord) -> Iterator[Metric]:
    horizons = model.report.get("horizons", [])
    names = {
        "brier": ("brier_score", "Brier score"),
        "brier_skill": ("brier_skill", "Brier skill over the base rate"),
        "average_precision": ("average_precision", "Average precision"),
        "calibration_error": ("calibration_error", "Expected calibration error"),
    }
    for key, (name, text) in names.items():
        values = [((format_duration(h["horizon"]),), h["scores"]["network"][key]) for h in horizons]
        yield _labelled(f"model_holdout_{name}", f"{text} on data the serving model never saw.", ["horizon"], values)
    yield _labelled(
        "model_share_ratio",
        "How much each voice counts in the serving model's probabilities while load is calm.",
        ["horizon", "voice"],
        [
            ((format_duration(h["horizon"]), voice), share)
            for h in horizons
            for voice, share in h.get("shares", {}).items()
        ],
    )


def _records(overview: Overview) -> Iterator[Metric]:
    runs = CounterMetricFamily(
        "monitor_retrain_runs", "Retrainings by what came of them, over all starts.", labels=["outcome"]
    )
    for outcome, count in overview.runs.items():
        runs.add_metric([outcome], count)
    yield runs
    yield _gauge("retrain_running", "Whether a retraining is under way.", overview.retrain_running)
    if overview.last_run:
        yield _gauge(
            "retrain_last_attempt_timestamp_seconds", "When the last retraining began.", overview.last_run.started_at
        )
    if overview.last_success:
        yield _gauge(
            "retrain_last_success_timestamp_seconds",
            "When a retraining last brought a new model into service.",
            overview.last_success.finished_at,
        )
    if overview.next_retrain_at is not None:
        yield _gauge("retrain_next_timestamp_seconds", "When the next retraining is due.", overview.next_retrain_at)
    yield _labelled(
        "input_drift",
        "How far the last day has left the training (population stability index; above 0.25: far).",
        ["metric"],
        [((name,), value) for name, value in overview.drift],
    )
    yield _gauge("storage_size_bytes", "Size of the database with its log.", overview.storage_bytes)
    if overview.oldest_sample_at is not None:
        yield _gauge(
            "storage_oldest_sample_timestamp_seconds", "Time of the oldest sample.", overview.oldest_sample_at
        )
    if overview.last_run and overview.last_run.report:
        yield from _training(overview.last_run)


def _training(run: TrainingRun) -> Iterator[Metric]:
    report, health = run.report, run.report["health"]

    def by_parameter(name: str, text: str, key: str) -> Metric:
        return _labelled(name, text, ["parameter"], [((p["name"],), p[key]) for p in health["parameters"]])

    yield by_parameter(
        "training_gradient_norm", "L2 norm of the gradient, mean of the last epoch of the last training.", "norm"
    )
    yield by_parameter("training_gradient_norm_max", "Largest L2 norm of the gradient in that training.", "norm_max")
    yield by_parameter(
        "training_update_ratio",
        "L2 norm of the update over that of the weight, mean of the last epoch.",
        "update_ratio",
    )
    yield _labelled(
        "training_dead_unit_ratio",
        "Share of the units of an activation layer that no validation row woke.",
        ["layer"],
        [((layer["name"],), layer["dead_ratio"]) for layer in health["layers"]],
    )
    yield _labelled(
        "training_activation_saturation_ratio",
        "Share of the outputs of a layer with two ends (tanh, sigmoid) that lay at one of them.",
        ["layer"],
        [((layer["name"],), layer.get("saturation_ratio")) for layer in health["layers"]],
    )
    yield _labelled(
        "training_gradient_state",
        "Verdict on the gradients of the last training; exactly one is 1.",
        ["state"],
        [((state,), health["state"] == state) for state in ("healthy", "vanishing", "exploding")],
    )
    yield _gauge("training_clipped_steps", "Steps whose gradient was clipped.", health["clipped_steps"])
    yield _gauge("training_nonfinite_steps", "Steps whose gradient was not finite.", health["nonfinite_steps"])
    kept = report["epochs"][report["kept_epoch"] - 1]
    yield _labelled(
        "training_loss",
        "Mean binary cross-entropy of the kept epoch, in nats.",
        ["split"],
        [((split,), kept[f"{split}_loss"]) for split in ("train", "validation")],
    )
    yield _gauge("training_epochs", "Epochs of the last training.", len(report["epochs"]))
    yield _gauge("training_duration_seconds", "How long the last training took.", report["seconds"])
    yield _gauge("training_peak_memory_bytes", "Largest memory of the trainer.", report["peak_memory_bytes"])


def _scores(scores: Sequence[HorizonScore]) -> Iterator[Metric]:
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
            yield _labelled(name, text, ["horizon"], values)


def _jobs(status: Status) -> Iterator[Metric]:
    counted: dict[str, tuple[str, Callable[[Any], int]]] = {
        "job_runs": ("Runs of a job.", lambda job: job.runs),
        "job_failures": ("Runs of a job that raised.", lambda job: job.failures),
        "job_missed": ("Turns of a job that did not happen.", lambda job: job.missed),
    }
    for name, (text, value) in counted.items():
        family = CounterMetricFamily(f"monitor_{name}", text, labels=["job"])
        for job, state in status.jobs.items():
            family.add_metric([job], value(state))
        yield family
    duration = HistogramMetricFamily("monitor_job_duration_seconds", "How long a job took.", labels=["job"])
    delay = HistogramMetricFamily("monitor_job_delay_seconds", "How late a job began after its turn.", labels=["job"])
    for job, state in status.jobs.items():
        duration.add_metric([job], list(state.duration.buckets), state.duration.seconds)
        delay.add_metric([job], list(state.delay.buckets), state.delay.seconds)
    yield duration
    yield delay
