"""Trace options: interpretation of columns, percentages and time zones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from monitor.errors import MonitorError


@dataclass(frozen=True)
class TraceOptions:
    """Options for the interpretation of trace files.

    Attributes:
        columns: mapping from names of columns or series to fields or `timestamp`.
        percent: True if ratios are written as percentages.
        zone: time zone of dates without a time zone; None to refuse such dates.
        now: current time in seconds since the epoch; a file with a timestamp more than a minute later is refused.
            None accepts all timestamps.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    percent: bool = False
    zone: tzinfo | None = None
    now: float | None = None


def check_columns_exist(options: TraceOptions, names: Mapping[Path, frozenset[str]]) -> None:
    """Check that every column or series named in the options exists in at least one file.

    Args:
        options: options with the mapped names.
        names: names of the columns and series in each file, in lower case.

    Raises:
        MonitorError: a column or series named in the options exists in no file.
    """
    present = frozenset[str]().union(*names.values())
    for column in options.columns:
        if column.lower() not in present:
            files = ", ".join(map(str, names))
            raise MonitorError(f"{files}: no column or series {column!r}, which --map names")
