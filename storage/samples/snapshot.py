"""Sample snapshot: a long history as of one time, compressed in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from storage.blocks.columns import MAX_ROWS
from storage.blocks.format import decode_block, encode_block
from storage.blocks.series import SAMPLES
from storage.records import SAMPLE_FIELDS
from storage.samples.arrays import Array, ArrayBuffer


@dataclass(frozen=True)
class EncodedSamples:
    """Consecutive samples in the form of a block.

    Attributes:
        row: values of the row of the block table by column.
        rows: numbers of the rows of the block that are part of the samples.
    """

    row: dict[str, Any]
    rows: slice

    def decode(self, fields: Sequence[str]) -> Array:
        """Return fields of the samples (rows, fields); NaN for a missing value."""
        return decode_block(SAMPLES, ("at", *fields), self.row).values[self.rows, 1:]


TimedPart = tuple[EncodedSamples, Array]
"""Encoded samples, and their times (rows,) in seconds since the epoch."""


def _length(part: EncodedSamples) -> int:
    return int(part.rows.stop) - int(part.rows.start or 0)


def encode_samples(samples: Array) -> Iterator[TimedPart]:
    """Encode samples (rows, 1 + SAMPLE_FIELDS) in parts of at most MAX_ROWS rows."""
    for start in range(0, len(samples), MAX_ROWS):
        part = samples[start : start + MAX_ROWS]
        row = encode_block(SAMPLES, 0, float(part[0, 0]), part)
        yield EncodedSamples(row, slice(len(part))), part[:, 0].copy()


class SampleSnapshot:
    """Values of the samples of a period, decoded on request.

    An array of the values of a year at 5 s takes 800 MB, and their compressed form a fifth.

    Attributes:
        times: (rows,) seconds since the epoch, increasing.
    """

    def __init__(self, parts: Iterable[TimedPart]) -> None:
        """Initialize from parts in order of time."""
        self._parts: list[EncodedSamples] = []
        starts = [0]
        times = ArrayBuffer(1)
        for part, part_times in parts:
            if len(part_times):
                self._parts.append(part)
                times.append(part_times[:, None])
                starts.append(times.rows)
        self._starts = np.array(starts)
        self.times: Array = times.take()[:, 0]

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, rows: slice) -> Array:
        """Return consecutive rows (rows, SAMPLE_FIELDS); NaN for a missing value."""
        start, stop, _ = rows.indices(len(self))
        return self._decode(start, stop, SAMPLE_FIELDS)

    def column(self, position: int) -> Array:
        """Return one field (rows,) of all samples; NaN for a missing value."""
        return self._decode(0, len(self), (SAMPLE_FIELDS[position],))[:, 0]

    def since(self, position: int) -> SampleSnapshot:
        """Return the snapshot of the samples from a position on; it does not keep the parts before."""
        number = int(np.searchsorted(self._starts, position, side="right")) - 1
        parts = []
        for part, start in zip(self._parts[number:], self._starts[number:].tolist(), strict=False):
            skipped = max(position - start, 0)
            rows = slice((part.rows.start or 0) + skipped, part.rows.stop)
            parts.append((EncodedSamples(part.row, rows), self.times[start + skipped : start + _length(part)]))
        return SampleSnapshot(parts)

    def _decode(self, start: int, stop: int, fields: Sequence[str]) -> Array:
        values = np.empty((max(stop - start, 0), len(fields)))
        first = int(np.searchsorted(self._starts, start, side="right")) - 1
        for number in range(first, len(self._parts)):
            position = int(self._starts[number])
            if position >= stop:
                break
            part = self._parts[number].decode(fields)
            inside = part[max(start - position, 0) : stop - position]
            begin = max(position - start, 0)
            values[begin : begin + len(inside)] = inside
        return values
