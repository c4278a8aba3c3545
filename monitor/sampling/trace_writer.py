"""Trace writer: stored samples as CSV files."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np
import numpy.typing as npt

from model.units import DAY
from monitor.sampling.trace_reader import TIME_COLUMN
from monitor.system.atomic_write import open_atomic
from storage import SAMPLE_FIELDS, SampleRepository

Array = npt.NDArray[np.float64]


def write_trace(file: TextIO, chunks: Iterable[Array]) -> int:
    """Write arrays (rows, 1 + SAMPLE_FIELDS) as one trace and return the number of rows."""
    file.write(",".join((TIME_COLUMN, *SAMPLE_FIELDS)) + "\n")
    written = 0
    for chunk in chunks:
        for row in chunk.tolist():
            file.write(",".join(map(_format_cell, row)) + "\n")
        written += len(chunk)
    return written


def stored_chunks(samples: SampleRepository, since: float) -> Iterator[Array]:
    """Yield the stored samples after a time, one day each, in the form of `write_trace`.

    Args:
        samples: repository to read.
        since: seconds since the epoch, exclusive.
    """
    oldest = samples.oldest_at()
    newest = samples.last()
    if oldest is None or newest is None:
        return
    start = max(since, np.nextafter(oldest, 0))
    while start < newest.at:
        yield samples.between(start, start + DAY)
        start += DAY


@contextmanager
def open_text_output(path: Path) -> Iterator[TextIO]:
    """Open a text file for atomic writing, compressed if its name ends in `.gz`.

    Raises:
        MonitorError: the file cannot be written.
    """
    with (
        open_atomic(path) as file,
        gzip.open(file, "wt", newline="") if path.suffix == ".gz" else _as_text(file) as text,
    ):
        yield text


def _as_text(file: BinaryIO) -> TextIO:
    return open(file.fileno(), "w", newline="", encoding="utf-8", closefd=False)


def _format_cell(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() else repr(value)
