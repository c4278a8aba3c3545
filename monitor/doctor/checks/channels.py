"""Check of the notification channels: deliveries, failures and abandoned notifications."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.doctor.context import DoctorContext
from monitor.doctor.fixes import show_log
from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.documents.status.parts import ChannelStatus, channel_problem, channel_status
from monitor.system.formatting import format_time


def check_channels(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that the last attempt of each channel succeeded, and that no notification was given up recently."""
    if not context.config.notify.channels:
        yield skipped(CheckId.NOTIFICATIONS, "no channel is configured")
    elif context.records is None:
        yield skipped(CheckId.NOTIFICATIONS, f"the database cannot be read: {context.records_error}")
    else:
        yield from (assess_channel(channel_status(channel)) for channel in context.records.overview.channels)


def assess_channel(channel: ChannelStatus) -> CheckResult:
    """Return a failed result for a channel that fails, and a warning for one that has given up notifications."""
    problem = channel_problem(channel)
    if problem:
        result = failed if channel.failures else warning
        fix = f"monitor notify test --channel {channel.channel}; {show_log()}"
        return result(CheckId.NOTIFICATIONS, problem, fix, subject=channel.channel)
    message = "nothing was sent yet"
    if channel.last_success_at is not None:
        message = f"last delivery {format_time(channel.last_success_at)}"
    return ok(CheckId.NOTIFICATIONS, message, subject=channel.channel)
