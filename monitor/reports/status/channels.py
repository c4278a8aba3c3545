"""Channel lines of the status report: deliveries, and waiting, failing and given-up notifications."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.documents.status import ChannelStatus, channel_problem
from monitor.reports.blocks import Line, Toned, labelled_line
from monitor.system.formatting import format_time


def channel_lines(channels: Sequence[ChannelStatus]) -> list[Line]:
    """Return a line for each notification channel."""
    return [labelled_line("channel", *_parts(channel)) for channel in channels]


def _parts(channel: ChannelStatus) -> tuple[str | Toned, ...]:
    last = "nothing delivered yet"
    if channel.last_success_at is not None:
        last = f"last delivery {format_time(channel.last_success_at)}"
    waiting = f", {channel.pending} waiting" if channel.pending else ""
    parts = f"{channel.channel} ({channel.kind}): {last}{waiting}"
    problem = channel_problem(channel)
    if not problem:
        return (parts,)
    return (f"{parts}; ", Toned(problem, "bad" if channel.failures else "caution"))
