"""Answers: values of each host in the JSON documents of instant and range queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.errors import MAX_PROBLEM_LENGTH, SourceError, shortened
from monitor.fleet.source.host_names import is_valid_name

Array = npt.NDArray[np.float64]

STRUCTURE_ERRORS = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)
"""Exceptions that an answer with an unexpected structure raises."""


@dataclass(frozen=True)
class AnswerNotes:
    """Irregularities of an answer.

    Attributes:
        warnings: distinct warnings of the server.
        is_partial: True if the server states that data of a storage node is missing.
        ignored: number of series without the host label, or whose host has an invalid name.
        duplicates: hosts with several series at the same time, each with the labels of two of them.
    """

    warnings: tuple[str, ...] = ()
    is_partial: bool = False
    ignored: int = 0
    duplicates: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Vector:
    """Values of one field at one time.

    Attributes:
        hosts: distinct names of the hosts that have one series.
        values: (hosts,) values, NaN for a value that is not finite.
        notes: irregularities.
    """

    hosts: list[str]
    values: Array
    notes: AnswerNotes


@dataclass(frozen=True)
class Matrix:
    """Values of one field at the times of a range query.

    Attributes:
        values: (points,) values by host, NaN where missing, not finite or ambiguous.
        notes: irregularities.
    """

    values: dict[str, Array]
    notes: AnswerNotes


def read_vector(document: Any, host_label: str) -> Vector:
    """Return the values of an instant query.

    Raises:
        SourceError: the answer is an error, or has another structure.
    """
    try:
        entries = _result(document, "vector")
        names = [entry["metric"].get(host_label) for entry in entries]
        values = np.array([float(entry["value"][1]) for entry in entries], dtype=np.float64)
        valid = [row for row, name in enumerate(names) if _names_host(name)]
        hosts = names if len(valid) == len(names) else [names[row] for row in valid]
        ambiguous = _repeated(hosts)
        rows = [row for row in valid if names[row] not in ambiguous] if ambiguous else valid
        duplicates = {host: _labels([entry for entry in entries if _host(entry, host_label) == host])
                      for host in ambiguous}  # fmt: skip
        notes = _notes(document, len(names) - len(valid), duplicates)
    except STRUCTURE_ERRORS as error:
        raise SourceError("the answer has an unexpected structure") from error
    values = values if len(rows) == len(values) else values[rows]
    values[~np.isfinite(values)] = np.nan
    return Vector([names[row] for row in rows] if len(rows) < len(names) else names, values, notes)


def read_matrix(document: Any, host_label: str, start: float, step: float, points: int) -> Matrix:
    """Return the values of a range query; series of a host that follow one another are joined.

    Args:
        document: JSON document.
        host_label: label that names a host.
        start: time of the first point in seconds since the epoch.
        step: seconds between two points.
        points: number of points.

    Raises:
        SourceError: the answer is an error, or has another structure.
    """
    values: dict[str, Array] = {}
    labels: dict[str, Any] = {}
    duplicates: dict[str, str] = {}
    ignored = 0
    try:
        for entry in _result(document, "matrix"):
            host = entry["metric"].get(host_label)
            if not _names_host(host):
                ignored += 1
                continue
            column = _column(entry["values"], start, step, points)
            earlier = values.get(host)
            if earlier is not None:
                both = ~np.isnan(earlier) & ~np.isnan(column)
                if both.any():
                    duplicates.setdefault(host, _labels([labels[host], entry]))
                column = np.where(both, np.nan, np.where(np.isnan(column), earlier, column))
            values[host] = column
            labels[host] = entry
        notes = _notes(document, ignored, duplicates)
    except STRUCTURE_ERRORS as error:
        raise SourceError("the answer has an unexpected structure") from error
    return Matrix(values, notes)


def _result(document: Any, kind: str) -> Sequence[Any]:
    """Return the entries of an answer; raise SourceError if the server states an error."""
    if document["status"] != "success":
        raise SourceError(shortened(str(document.get("error")), MAX_PROBLEM_LENGTH))
    data = document["data"]
    if data["resultType"] != kind or not isinstance(data["result"], list):
        raise ValueError(f"result type {data['resultType']}")
    return data["result"]


def _column(points: Sequence[Any], start: float, step: float, count: int) -> Array:
    """Return the values (count,) of a series at the times of the query; points at other times are left out."""
    column = np.full(count, np.nan)
    times = np.array([point[0] for point in points], dtype=np.float64)
    values = np.array([*map(float, [point[1] for point in points])])
    offsets = (times - start) / step
    rows = np.rint(offsets)
    is_valid = (np.abs(offsets - rows) < 0.01) & (rows >= 0) & (rows < count) & np.isfinite(values)
    column[rows[is_valid].astype(int)] = values[is_valid]
    return column


def _names_host(name: Any) -> bool:
    return isinstance(name, str) and is_valid_name(name)


def _host(entry: Any, host_label: str) -> Any:
    return entry["metric"].get(host_label)


def _repeated(hosts: Sequence[str]) -> frozenset[str]:
    if len(set(hosts)) == len(hosts):
        return frozenset()
    return frozenset(host for host, count in Counter(hosts).items() if count > 1)


def _labels(entries: Sequence[Any]) -> str:
    """Return the labels of the first two entries for a message."""
    texts = [", ".join(f'{name}="{value}"' for name, value in sorted(entry["metric"].items())) for entry in entries]
    return shortened(" and ".join(f"{{{text}}}" for text in texts[:2]), MAX_PROBLEM_LENGTH)


def _notes(document: Any, ignored: int, duplicates: dict[str, str]) -> AnswerNotes:
    warnings = dict.fromkeys(
        shortened(str(warning), MAX_PROBLEM_LENGTH) for warning in document.get("warnings") or ()
    )
    return AnswerNotes(
        warnings=tuple(warnings),
        is_partial=bool(document.get("isPartial")),
        ignored=ignored,
        duplicates=tuple(sorted(duplicates.items())),
    )
