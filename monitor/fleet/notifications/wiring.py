"""Wiring of the fleet's notifications: queue, sender processes and job."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping

from monitor.config.loader import Config
from monitor.fleet.notifications.host_events import FleetEventCollector
from monitor.fleet.process.state import FleetState
from monitor.notifications.delivery import SenderProcesses
from monitor.notifications.events import Origin
from monitor.notifications.job import NotificationInput, NotificationJob
from monitor.notifications.outbox import Outbox
from monitor.state import ChannelState
from monitor.stores import Stores


class FleetNotifications:
    """Notifications of the fleet process; a reload keeps the queue and the sender processes."""

    def __init__(
        self,
        stores: Stores,
        state: Callable[[], FleetState],
        page_url: Callable[[], str],
        publish: Callable[[Mapping[str, ChannelState]], None],
    ) -> None:
        """Initialize without a channel.

        Args:
            stores: repositories of the database.
            state: returns the current state of the process.
            page_url: returns the URL of the page as seen from this machine.
            publish: receives the state of each channel.
        """
        self._stores = stores
        self._state = state
        self._page_url = page_url
        self._publish = publish
        self._outbox = Outbox(stores.notifications)
        self._senders = SenderProcesses()

    def job(self, config: Config) -> NotificationJob:
        """Return the job of a configuration with at least one channel."""
        host = socket.gethostname()

        def url() -> str:
            return (config.notify.external_url or self._page_url()).rstrip("/")

        collector = FleetEventCollector(config, self._outbox, self._state, url)
        source = NotificationInput(
            state=None, origin=lambda: Origin(host, url()), clock=time.time, collect=collector.collect
        )
        return NotificationJob(config, self._stores, self._outbox, self._senders, self._publish, source)

    def stop(self) -> None:
        """Stop the sender processes."""
        self._senders.stop()
