"""Composition of the notifications: built only if a channel is configured."""

from __future__ import annotations

import socket
from collections.abc import Callable

from monitor.config.loader import Config
from monitor.daemon.object_cache import ObjectCache
from monitor.daemon.scheduler import NOTIFIER, Job
from monitor.daemon.state import StateHolder
from monitor.notifications.delivery import SenderProcesses
from monitor.notifications.events import Origin
from monitor.notifications.job import NotificationInput, NotificationJob
from monitor.notifications.outbox import Outbox
from monitor.stores import Stores

MAX_INTERVAL = 5.0
"""Longest interval of the job in seconds; it follows each sample."""

OFFSET = 0.5
"""Seconds by which the job is later than the samples."""


def build_notification_job(
    config: Config, stores: Stores, holder: StateHolder, cache: ObjectCache, clock: Callable[[], float]
) -> Job:
    """Return the job of the notifications; a change of the channels keeps the waiting notifications.

    Args:
        config: configuration with at least one channel.
        stores: repositories of the database.
        holder: state of the daemon, to which the job publishes.
        cache: objects of the previous configuration.
        clock: returns the current time in seconds since the epoch.
    """
    outbox = cache.get("outbox", (stores,), lambda: Outbox(stores.notifications))
    senders = cache.get("senders", (), SenderProcesses)
    holder.stop_notifications = senders.stop
    host = socket.gethostname()
    source = NotificationInput(
        state=holder.state,
        origin=lambda: Origin(host, config.notify.external_url or holder.page_url),
        clock=clock,
    )
    job = cache.get(
        "notification",
        (stores, config.notify, config.anomaly.maintenance, config.directory),
        lambda: NotificationJob(config, stores, outbox, senders, holder.publish_channels, source),
    )
    return Job("notification", min(config.sampling.interval, MAX_INTERVAL), job.run, NOTIFIER, offset=OFFSET)
