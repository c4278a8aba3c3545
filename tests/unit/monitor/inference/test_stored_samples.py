"""Stored samples in chunks."""

from types import SimpleNamespace

import numpy as np
import pytest

from monitor.inference.stored_samples import CHUNK_SECONDS, read_rows, read_samples, sample_values
from storage import SAMPLE_FIELDS, Sample

pytestmark = pytest.mark.unit


class FakeSamples:
    """Samples every second, of which the queried times are recorded."""

    def __init__(self):
        self.queries = []

    def between(self, start, until, columns):
        self.queries.append((start, until))
        times = np.arange(np.floor(start) + 1, until + 1)
        return np.column_stack([times, np.zeros((len(times), len(columns)))])


def test_chunks_are_consecutive_and_cover_the_range():
    samples = FakeSamples()
    chunks = list(read_samples(SimpleNamespace(samples=samples), ("cpu_usage",), 100.0, 350.0, 100.0))
    assert samples.queries == [(100.0, 200.0), (200.0, 300.0), (300.0, 350.0)]
    assert np.concatenate(chunks)[:, 0].tolist() == list(range(101, 351))


def test_empty_range_is_not_read():
    samples = FakeSamples()
    assert list(read_samples(SimpleNamespace(samples=samples), ("cpu_usage",), 5.0, 5.0)) == []
    assert samples.queries == []


def test_rows_are_means_of_whole_row_intervals(stores):
    step = 70.0
    start = 1_800_000_000.0 // step * step
    offsets = [at for at in range(0, 4200, 10) if not 700 <= at < 840]
    stores.samples.append_many(Sample(start + at, cpu_usage=at / 10_000) for at in offsets)
    rows = dict(read_rows(stores, ("cpu_usage", "disk_busy"), step, start, start + 3500))
    # The chunks that are read are shorter, and rows without a value are left out.
    assert CHUNK_SECONDS < 3500
    assert list(rows) == [start + step * number for number in range(50) if number not in (10, 11)]
    assert [row[0] for row in rows.values()] == pytest.approx([(at - start + 30) / 10_000 for at in rows])
    assert all(np.isnan(row[1]) for row in rows.values())


def test_values_of_a_sample_are_in_the_order_of_the_fields():
    values = sample_values(Sample(5.0, cpu_usage=0.25, disk_busy=0.5))
    assert values.shape == (len(SAMPLE_FIELDS),)
    assert values[SAMPLE_FIELDS.index("cpu_usage")] == 0.25
    assert values[SAMPLE_FIELDS.index("disk_busy")] == 0.5
    assert np.isnan(values).sum() == len(SAMPLE_FIELDS) - 2
