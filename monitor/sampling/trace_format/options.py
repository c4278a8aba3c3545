"""Options that state how trace files are to be interpreted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from monitor.errors import MonitorError


@dataclass(frozen=True)
class TraceOptions:
    """Interpretation of trace files.

    Attributes:
        columns: field, or `timestamp`, by name of a column or series.
        percent: ratios are written as percentages.
        zone: time zone of dates without one; None to refuse them.
        now: refuse rows more than a minute after this time (seconds since the epoch); None to accept them.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    percent: bool = False
    zone: tzinfo | None = None
    now: float | None = None


def check_columns_exist(options: TraceOptions, names: Mapping[Path, frozenset[str]]) -> None:
    """Refuse a name of a column or series that no file has.

    Args:
        options: names of columns and series.
        names: names in each file, in lower case.

    Raises:
        MonitorError: names the column.
    """
    present = frozenset[str]().union(*names.values())
    for column in options.columns:
        if column.lower() not in present:
            files = ", ".join(map(str, names))
            raise MonitorError(f"{files}: no column or series {column!r}, which --map names")
