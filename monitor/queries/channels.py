"""Notification channels: waiting, failing and given-up notifications, read from the database."""

from __future__ import annotations

from dataclasses import dataclass

from model.units import DAY
from monitor.config.notify.section import NotifySection
from monitor.stores import Stores
from storage import ChannelHealth

GIVEN_UP_WINDOW = 7 * DAY
"""Seconds for which notifications that were given up are counted."""


@dataclass(frozen=True)
class ChannelOverview:
    """State of one configured channel.

    Attributes:
        kind: kind of the channel.
        health: last delivery and last failure.
        pending: number of notifications that wait for their delivery.
        given_up: number of notifications that were given up or dropped in the last GIVEN_UP_WINDOW seconds.
    """

    kind: str
    health: ChannelHealth
    pending: int
    given_up: int

    @property
    def failing(self) -> bool:
        """True if the last attempt failed."""
        return self.health.failures > 0


def read_channels(stores: Stores, notify: NotifySection, now: float) -> tuple[ChannelOverview, ...]:
    """Return the state of each configured channel.

    Args:
        stores: repositories.
        notify: configuration of the channels.
        now: seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    if not notify.channels:
        return ()
    health = {channel.channel: channel for channel in stores.notifications.channel_health()}
    pending = stores.notifications.pending_counts()
    given_up = stores.notifications.given_up_counts(now - GIVEN_UP_WINDOW)
    return tuple(
        ChannelOverview(
            kind=channel.kind,
            health=health.get(name) or ChannelHealth(name),
            pending=pending.get(name, 0),
            given_up=given_up.get(name, 0),
        )
        for name, channel in notify.channels
    )
