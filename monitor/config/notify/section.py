"""Section [notify]: notifications through channels, and the reader of the channels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.config.notify.channels import CHANNEL_KINDS, Channel
from monitor.config.options import NestedError, Option, abbreviate, duration, option_field, string
from monitor.config.section_codec import format_section, read_section
from monitor.system.suggestions import suggestion

NAME = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)

NamedChannels = tuple[tuple[str, Channel], ...]
"""Channels with their names, in the order of the file."""


def read_channels(value: Any) -> NamedChannels:
    """Return the channels in the table `channels`.

    Raises:
        NestedError: a channel is invalid; one line per problem, which starts with the channel and the key.
        ValueError: the value is not a table.
    """
    if not isinstance(value, Mapping):
        raise ValueError("must be tables [notify.channels.NAME]")  # noqa: TRY004
    channels = []
    problems = []
    for name, table in value.items():
        channel, channel_problems = _read_channel(name, table)
        channels.append((name, channel))
        problems += channel_problems
    if problems:
        raise NestedError("\n".join(problems))
    return tuple(channels)


def _read_channel(name: str, table: Any) -> tuple[Channel, list[str]]:
    """Return a channel and its problems."""
    if not NAME.fullmatch(name):
        return Channel(), [f"{abbreviate(name)}: a name has up to 40 letters, digits, _ and -"]
    if not isinstance(table, Mapping):
        return Channel(), [f"{name}: must be a table"]
    kind = table.get("kind", "webhook")
    if not isinstance(kind, str) or kind not in CHANNEL_KINDS:
        advice = suggestion(kind, CHANNEL_KINDS) if isinstance(kind, str) else ""
        return Channel(), [f"{name}.kind: must be one of {', '.join(CHANNEL_KINDS)}{advice}"]
    channel, problems = read_section(CHANNEL_KINDS[kind], table, name)
    # Combinations of keys are checked only if every key is valid.
    return channel, problems or [f"{name}.{problem}" for problem in channel.problems()]


def write_channels(channels: NamedChannels) -> str:
    """Return channels as TOML tables, without secrets."""
    tables = (format_section(channel, f"notify.channels.{name}", comments=False) for name, channel in channels)
    return "".join(f"\n{table}\n" for table in tables)


@dataclass(frozen=True)
class NotifySection:
    """Section [notify]: notifications of warnings and anomalies."""

    external_url: str = string(
        "",
        "URL of the page in the notifications, for a daemon behind a proxy.",
        pattern=r"(https?://[!-~]+)?",
        example="https://monitor.example.org/",
        default_text="the address of `web.listen`",
    )
    retry_for: float = duration(
        21600.0, "Time for which the delivery of a notification is tried again; it is abandoned later.", minimum=60.0
    )
    clear_after: float = duration(
        60.0,
        "Time without a warning and without high load after which an incident is cleared. A short interruption, such "
        "as a restart of the daemon, does not clear it.",
    )
    channels: tuple[tuple[str, Channel], ...] = option_field(
        (),
        Option(
            read=read_channels,
            write=write_channels,
            description="A channel is a table [notify.channels.NAME], for example [notify.channels.ops] with "
            'preset = "slack" and url_file = "slack-url". docs/reference/configuration.md lists its keys.',
            takes="tables `[notify.channels.NAME]`, see below",
            default_text="none",
            nested=True,
        ),
    )
