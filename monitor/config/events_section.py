"""Section [events] of config.toml: context of warnings and anomalies."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.config.options import boolean


@dataclass(frozen=True)
class EventsSection:
    """Section [events]: context that is recorded when a high-load warning or an anomaly begins."""

    processes: bool = boolean(True, "Record the processes that use most processor time, memory and I/O at that time.")
    command_lines: bool = boolean(
        False, "Record the command lines of these processes too. They may contain passwords and names of people."
    )
