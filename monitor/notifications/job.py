"""Notification job: queues the events of high load, anomalies and capacity, and delivers them."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from monitor.config.loader import SYSTEM_CONFIG, Config
from monitor.notifications.collector import CalmTimer, EventCollector
from monitor.notifications.delivery import SenderProcesses
from monitor.notifications.dispatcher import Dispatcher
from monitor.notifications.events import Origin
from monitor.notifications.outbox import Outbox
from monitor.notifications.sending import secret_directories
from monitor.state import ChannelState, DaemonState
from monitor.stores import Stores
from storage import StorageError

OUTCOMES = ("delivered", "retried", "failed", "suppressed", "dropped")
"""Outcomes that are counted for each channel; `retried` is a failed attempt that another one follows."""

RUN_BUDGET = 30.0
"""Seconds after which a run starts no further attempts, so that the newest events are queued."""


@dataclass(frozen=True)
class NotificationInput:
    """Input of the job.

    Attributes:
        state: returns the current state of the daemon; None if `collect` queues the events.
        origin: returns the name of the host, and the URL of the page.
        clock: returns the current time in seconds since the epoch.
        monotonic: monotonic clock; returns seconds.
        collect: queues the events that are due at a time in seconds since the epoch; None for those of `state`.
    """

    state: Callable[[], DaemonState] | None
    origin: Callable[[], Origin]
    clock: Callable[[], float]
    monotonic: Callable[[], float] = time.monotonic
    collect: Callable[[float], None] | None = None


def origin_of(config: Config, host: str, page_url: str) -> Origin:
    """Return the origin of the events of a daemon; the defaults and SYSTEM_CONFIG need no option `--config`.

    Args:
        config: configuration of the daemon.
        host: name of the host.
        page_url: URL of the page, unless `notify.external_url` is set.
    """
    is_default = config.path in (None, SYSTEM_CONFIG)
    command = "monitor" if is_default else f"monitor --config {shlex.quote(str(config.path))}"
    return Origin(host, config.notify.external_url or page_url, command)


class NotificationJob:
    """Periodic job that notifies the configured channels."""

    def __init__(
        self,
        config: Config,
        stores: Stores,
        outbox: Outbox,
        senders: SenderProcesses,
        publish: Callable[[Mapping[str, ChannelState]], None],
        source: NotificationInput,
    ) -> None:
        """Initialize the job; its first run reads the queue.

        Args:
            config: configuration with at least one channel.
            stores: repositories of the database.
            outbox: notifications on their way, which a job with another configuration may have used.
            senders: starts the sender processes.
            publish: called with the state of each channel at the end of each run.
            source: input of the job.
        """
        channels = dict(config.notify.channels)
        self._channels = channels
        self._retry_for = config.notify.retry_for
        self._outbox = outbox
        self._publish = publish
        self._source = source
        calm = partial(CalmTimer, config.notify.clear_after, source.monotonic)
        self._collector = EventCollector(stores, outbox, channels, config.anomaly.maintenance, source.origin, calm)
        self._dispatcher = Dispatcher(
            outbox, channels, secret_directories(config.directory), senders, source.monotonic
        )

    def run(self) -> None:
        """Queue the events that are due, and deliver what waits.

        1. Read the queue, once. Without the database, nothing is known of earlier notifications, and nothing is sent.
        2. Queue the differences between the state of the host and the notified incidents.
        3. Store them, abandon the notifications that are too old, and summarise the suppressed ones. While the
           database is unavailable, new notifications wait in memory.
        4. Publish the state of the channels: a delivery may take long.
        5. Send the oldest notification of each channel, and store the results, until none is due.
        6. Publish the state again.

        Raises:
            StorageError: the database cannot be read or written. The notifications in memory were sent nevertheless.
        """
        clock = self._source.clock
        self._outbox.load(clock())
        self._collect(clock())
        try:
            failure = self._store(clock())
            self._publish(self.channel_states())
            failure = self._deliver() or failure
        finally:
            self._publish(self.channel_states())
        if failure is not None:
            raise failure

    def channel_states(self) -> dict[str, ChannelState]:
        """Return the state of each channel."""
        return {
            name: ChannelState(
                pending=self._outbox.pending.get(name, 0),
                outcomes={outcome: self._outbox.outcomes[name, outcome] for outcome in OUTCOMES},
                last_success_at=self._outbox.health_of(name).last_success_at,
                last_failure_at=self._outbox.health_of(name).last_failure_at,
            )
            for name in self._channels
        }

    def _collect(self, now: float) -> None:
        """Queue the events that are due."""
        if self._source.collect is not None:
            self._source.collect(now)
        state = None if self._source.state is None else self._source.state()
        if state is not None and state.live is not None:
            self._collector.collect(state.live, state.anomaly, now)
        if state is not None and state.capacity is not None:
            self._collector.collect_capacity(state.capacity, now)

    def _store(self, now: float) -> StorageError | None:
        """Store what has changed; return the error if the database is unavailable."""
        try:
            self._outbox.save(now)
            self._dispatcher.expire(now - self._retry_for, now)
            self._dispatcher.summarise(self._source.origin(), now)
        except StorageError as error:
            return error
        return None

    def _deliver(self) -> StorageError | None:
        """Send what is due; return the error if the database is unavailable."""
        failure: StorageError | None = None
        end = self._source.monotonic() + RUN_BUDGET
        while self._source.monotonic() < end:
            try:
                if not self._dispatcher.attempt(self._source.clock()):
                    break
            except StorageError as error:
                return error
            failure = self._store(self._source.clock()) or failure
        return failure
