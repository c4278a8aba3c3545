"""Metrics of exhausted capacity: use, probabilities and full times of file systems, memory, and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import Metric

from model.capacity.tasks import FILESYSTEM, MEMORY
from monitor.exporter.family_builders import horizon_gauge, labelled_gauge
from monitor.queries.capacity import CapacityScore, CapacityState, ResourceState
from monitor.system.formatting import format_duration

SCORES: dict[str, tuple[str, Callable[[CapacityScore], float | None]]] = {
    "capacity_brier_score": (
        "Brier score of the capacity predictions of the last 28 days with a known outcome, from 0 (best) to 1.",
        lambda score: score.brier,
    ),
    "capacity_brier_skill": (
        "Brier skill of the capacity predictions of the last 28 days over the base rate; absent without an event.",
        lambda score: score.skill,
    ),
    "capacity_calibration_error": (
        "Expected calibration error of the capacity predictions of the last 28 days, from 0 (best) to 1.",
        lambda score: score.calibration_error,
    ),
}
"""HELP text and accessor of each score; keys are metric names without prefix."""


def capacity_metrics(state: CapacityState | None) -> Iterator[Metric]:
    """Yield the metrics of the newest capacity state; nothing before the first one."""
    if state is None:
        return
    yield from _filesystem_metrics([resource for resource in state.resources if resource.kind == FILESYSTEM.kind])
    yield from _memory_metrics([resource for resource in state.resources if resource.kind == MEMORY.kind])
    yield from _score_metrics(state.scores)


def _filesystem_metrics(resources: list[ResourceState]) -> Iterator[Metric]:
    """Yield the metrics of the file systems, at most `mounts.MAX_FILESYSTEMS`."""
    if not resources:
        return
    yield labelled_gauge(
        "filesystem_usage_ratio",
        "Use of the file system, as a ratio of what users can use.",
        ["mountpoint"],
        [((resource.name,), resource.usage) for resource in resources],
    )
    yield labelled_gauge(
        "filesystem_inode_usage_ratio",
        "Used inodes of the file system, as a ratio; absent if their number is not fixed.",
        ["mountpoint"],
        [((resource.name,), resource.row.inode_usage) for resource in resources],
    )
    yield labelled_gauge(
        "filesystem_full_probability",
        "Calibrated probability, from 0 to 1, that the file system passes its limit within the horizon; 1 above it.",
        ["mountpoint", "horizon"],
        [((*_labels(resource),), resource.row.probability) for resource in resources],
    )
    yield labelled_gauge(
        "filesystem_full_seconds",
        "Expected time until the file system passes its limit, in seconds; absent if not expected within 90 days.",
        ["mountpoint"],
        [((resource.name,), resource.row.full_seconds) for resource in resources],
    )
    yield labelled_gauge(
        "filesystem_full_warning",
        "Warning state of the file system: 1 while a warning is active, else 0; 0 above the limit.",
        ["mountpoint", "horizon"],
        [((*_labels(resource),), resource.row.warning) for resource in resources],
    )


def _labels(resource: ResourceState) -> tuple[str, str]:
    return resource.name, format_duration(resource.horizon)


def _memory_metrics(resources: list[ResourceState]) -> Iterator[Metric]:
    if not resources:
        return
    yield horizon_gauge(
        "memory_exhaustion_probability",
        "Calibrated probability, from 0 to 1, that the memory passes its limit within the horizon; 1 above it.",
        [(resource.horizon, resource.row.probability) for resource in resources],
    )
    yield horizon_gauge(
        "memory_exhaustion_warning",
        "Warning state of the memory: 1 while a warning is active, else 0; 0 above the limit.",
        [(resource.horizon, resource.row.warning) for resource in resources],
    )


def _score_metrics(scores: tuple[CapacityScore, ...]) -> Iterator[Metric]:
    """Yield the scores of the model and of each baseline."""
    if not scores:
        return
    for name, (description, value) in SCORES.items():
        values = [((score.kind, format_duration(score.horizon), score.predictor), value(score)) for score in scores]
        if any(number is not None for _, number in values):
            yield labelled_gauge(name, description, ["resource", "horizon", "predictor"], values)
    kinds = {score.kind: score for score in scores}
    yield labelled_gauge(
        "capacity_predictions",
        "Number of capacity predictions of the last 28 days, by outcome.",
        ["resource", "horizon", "outcome"],
        [
            ((kind, format_duration(score.horizon), outcome), count)
            for kind, score in kinds.items()
            for outcome, count in (
                ("exhausted", score.events),
                ("not_exhausted", score.scored - score.events),
                ("unknown", score.unknown),
            )
        ],
    )
