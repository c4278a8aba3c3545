"""Metrics of the notifications: outcomes and waiting notifications of each channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, Metric

from monitor.exporter.family_builders import PREFIX, labelled_gauge
from monitor.state import ChannelState


def notification_metrics(channels: Mapping[str, ChannelState]) -> Iterator[Metric]:
    """Yield the number of outcomes, and of waiting notifications, of each channel; nothing without a channel."""
    if not channels:
        return
    outcomes = CounterMetricFamily(
        f"{PREFIX}notifications",
        "Number of outcomes of notifications since the start of the daemon; retried counts failed attempts.",
        labels=["channel", "outcome"],
    )
    for name, channel in channels.items():
        for outcome, number in channel.outcomes.items():
            outcomes.add_metric([name, outcome], number)
    yield outcomes
    yield labelled_gauge(
        "notifications_pending",
        "Number of notifications that wait for their delivery.",
        ["channel"],
        [((name,), channel.pending) for name, channel in channels.items()],
    )
    for metric, text, times in (
        (
            "notification_last_success_timestamp_seconds",
            "Time of the last delivery in seconds since the epoch; absent before it. Kept across restarts.",
            {name: channel.last_success_at for name, channel in channels.items()},
        ),
        (
            "notification_last_failure_timestamp_seconds",
            "Time of the last failed attempt in seconds since the epoch; absent before it. Kept across restarts.",
            {name: channel.last_failure_at for name, channel in channels.items()},
        ),
    ):
        known = [((name,), at) for name, at in times.items() if at is not None]
        if known:
            yield labelled_gauge(metric, text, ["channel"], known)
