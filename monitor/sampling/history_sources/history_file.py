"""History file: rows of a file in any readable format, recognised by its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from pathlib import Path

from monitor.errors import MonitorError
from monitor.sampling.history_sources.json_reader import JsonReader
from monitor.sampling.history_sources.matrix_file import read_matrix
from monitor.sampling.history_sources.sadf import read_sadf
from monitor.sampling.import_summary import HistorySource
from monitor.sampling.trace_format.foreign_formats import foreign_format
from monitor.sampling.trace_format.options import TraceOptions
from monitor.sampling.trace_format.text_input import lines_of, open_content
from monitor.sampling.trace_reader import TraceRows, rows_of_lines

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class FileOptions:
    """Interpretation of history files.

    Attributes:
        trace: columns, units and time zone.
        host: host to read from output of sadf; empty if it has only one.
        network_exclude: shell patterns of network interfaces to exclude, for output of sadf.
    """

    trace: TraceOptions
    host: str = ""
    network_exclude: Sequence[str] = ()


@dataclass(frozen=True)
class HistoryFile:
    """Content of a file.

    Attributes:
        path: path of the file.
        source: format of the file.
        host: host of the rows as the file names it; empty if it names none.
        rows: rows of the file.
    """

    path: Path
    source: HistorySource
    host: str
    rows: TraceRows


def read_history_file(path: Path, options: FileOptions, *, expected: HistorySource | None = None) -> HistoryFile:
    """Return the rows of a file.

    Args:
        path: path of the file.
        options: interpretation of the file.
        expected: format that the file must have; None for any.

    Raises:
        MonitorError: the file cannot be read or interpreted, or has another format than expected.
    """
    with open_content(path) as content:
        if content.peek(4096).removeprefix(BYTE_ORDER_MARK).lstrip()[:1] in (b"{", b"["):
            return _read_json(path, content, options, expected)
        if expected not in (None, HistorySource.CSV):
            raise MonitorError(f"{path}: not JSON: write it with `sadf -j FILE -- -A`")
        with lines_of(path, content) as lines:
            rows = rows_of_lines(path, lines, options.trace)
    return HistoryFile(path, HistorySource.CSV, "", rows)


def _read_json(
    path: Path, content: BufferedReader, options: FileOptions, expected: HistorySource | None
) -> HistoryFile:
    with TextIOWrapper(content, encoding="utf-8-sig", errors="replace") as text:
        reader = JsonReader(path, text)
        head = reader.head()
        if '"sysstat"' in head:
            host, rows = read_sadf(reader, options.trace, options.host, options.network_exclude)
            return HistoryFile(path, HistorySource.SADF, host, rows)
        if expected is HistorySource.SADF:
            raise MonitorError(f"{path}: not the JSON of sadf: write it with `sadf -j FILE -- -A`")
        if '"resultType"' in head or '"status"' in head:
            return HistoryFile(path, HistorySource.PROMETHEUS_JSON, "", read_matrix(reader, options.trace))
    raise MonitorError(f"{path}, line 1: {foreign_format([head])}")
