"""Configuration documents: results of `monitor check-config` and `monitor notify test`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ConfigCheckDocument:
    """Result of `monitor check-config`.

    Attributes:
        file: path of the file; None for the defaults.
        problems: one sentence per problem, each with its key.
        config: effective values of each section, durations in seconds; None if there are problems.
    """

    file: str | None
    problems: tuple[str, ...] = ()
    config: Mapping[str, Mapping[str, object]] | None = None


@dataclass(frozen=True)
class ChannelTestDocument:
    """Result of `monitor notify test` for one channel.

    Attributes:
        channel: name of the channel.
        kind: kind of the channel.
        delivered: True if the receiver accepted the test notification.
        problem: reason of a failure; empty after a delivery.
    """

    channel: str
    kind: str
    delivered: bool
    problem: str
