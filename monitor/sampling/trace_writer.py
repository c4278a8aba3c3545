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

from monitor.sampling.trace_reader import TIME_COLUMN
from monitor.system.atomic_write import open_atomic
from storage import SAMPLE_FIELDS

Array = npt.NDArray[np.float64]


def write_trace(file: TextIO, chunks: Iterable[Array]) -> int:
    """Write samples as one trace in CSV format.

    Args:
        file: text file opened for writing.
        chunks: arrays (rows, 1 + fields) of the time and the values of SAMPLE_FIELDS; NaN for a missing value.

    Returns:
        The number of rows written, without the header.
    """
    file.write(",".join((TIME_COLUMN, *SAMPLE_FIELDS)) + "\n")
    written = 0
    for chunk in chunks:
        for row in chunk.tolist():
            file.write(",".join(map(_format_cell, row)) + "\n")
        written += len(chunk)
    return written


@contextmanager
def open_text_output(path: Path) -> Iterator[TextIO]:
    """Open a text file for atomic writing; compress it with gzip if its name ends in `.gz`.

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
