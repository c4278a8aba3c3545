"""Equal results of all repository methods from rows, from blocks, and from both."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from storage import SAMPLE_FIELDS, Sample, SampleRepository

from .conftest import HORIZONS, START, Stored, random_predictions

pytestmark = pytest.mark.unit

HOURS = 4
Pair = Callable[[int, int], tuple[Stored, Stored]]


def plain(value: Any) -> Any:
    """Return a result in a form that compares bit for bit, NaN included."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, np.ascontiguousarray(value).tobytes()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value


def bounds(rng: np.random.Generator, stored: Stored) -> tuple[float, float]:
    """Return the ends of a random period, often the time of a sample or a whole hour."""
    times = stored.samples.between(-math.inf, math.inf, ())[:, 0]
    choices = [
        *rng.choice(times, 2),
        START + 3600 * rng.integers(-1, HOURS + 1),
        *rng.uniform(times[0], times[-1], 2),
    ]
    first, second = sorted(rng.choice(choices, 2).tolist())
    return first, second


def sample_results(stored: Stored, start: float, end: float, spacing: float) -> dict[str, Any]:
    samples = stored.samples
    width, count = max(1.0, round((end - start) / 7)), 7
    wanted = samples.between(start, end, ())[::3, 0]
    at_times = samples.at_times(np.append(wanted, start + 0.0005))
    return {
        "between": samples.between(start, end),
        "fields": samples.between(start, end, ("disk_read", "cpu_usage")),
        "all": samples.between(-math.inf, math.inf),
        "at_times": at_times[np.argsort(at_times[:, 0])],
        "last": samples.last(),
        "last_until": samples.last(end),
        "oldest": samples.oldest_at(),
        "count": (samples.count(), samples.count(start), samples.count_between(start, end)),
        "thinned": samples.thinned_times(start, end, spacing),
        "means": samples.bucket_means(start, width, count),
        "wide_means": samples.bucket_means(START, 5400.0, 5),
        "newest": [
            samples.start_of_newest(s, end, gap, n) for s, gap, n in ((3600, 900, 0), (1e4, 40, 5), (9, 9, 99))
        ],
        "other_host": SampleRepository(stored.database, host_id=2).between(start, end),
    }


def prediction_results(stored: Stored, start: float, end: float) -> dict[str, Any]:
    width = max(1.0, round((end - start) / 7))
    results: dict[str, Any] = {}
    for name, predictions in (("live", stored.predictions), ("replayed", stored.replayed)):
        results[name] = {
            "between": predictions.between(start, end),
            "horizon": predictions.between(start, end, HORIZONS[1]),
            "maxima": predictions.bucket_maxima(start, width, 7),
            "wide_maxima": predictions.bucket_maxima(START, 5400.0, 5),
            "last": predictions.last(),
            "next": [predictions.next_time(at, horizon) for at in (start, end) for horizon in (*HORIZONS, 7.0)],
            "count": (predictions.count(), predictions.count_between(start, end)),
            "occupied": predictions.occupied_buckets(start, width, 7),
        }
    return results


def assert_equal(first: Stored, second: Stored, rng: np.random.Generator) -> None:
    start, end = bounds(rng, first)
    spacing = float(rng.choice([30.0, 500.0, 4000.0]))
    expected, actual = (sample_results(stored, start, end, spacing) for stored in (first, second))
    assert {name: plain(value) for name, value in actual.items()} == {
        name: plain(value) for name, value in expected.items()
    }
    assert plain(prediction_results(second, start, end)) == plain(prediction_results(first, start, end))


@pytest.mark.parametrize("seed", range(5))
def test_every_read_is_equal_from_rows_and_from_blocks(pair: Pair, seed: int) -> None:
    rows, blocks = pair(seed, HOURS)
    rng = np.random.default_rng(seed)
    before = START + 3600.0 * int(rng.integers(2, HOURS + 2))
    assert blocks.compress(before) > 0
    for _ in range(5):
        assert_equal(rows, blocks, rng)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("size", [1, 7, 100, 8192])
def test_chunks_are_equal_from_rows_and_from_blocks(pair: Pair, seed: int, size: int) -> None:
    rows, blocks = pair(seed, HOURS)
    blocks.compress(START + 3600.0 * (2 + seed % 4))
    start = START + 1234.0 * seed if seed % 2 else -math.inf
    expected, actual = ([plain(chunk) for chunk in stored.samples.chunks(start, size)] for stored in (rows, blocks))
    assert actual == expected


def writes(rng: np.random.Generator, start: float, end: float) -> dict[str, Callable[[Stored], Any]]:
    """Return functions that change the history in a period, and return the result of the method."""
    sample = Sample(start, *rng.random(len(SAMPLE_FIELDS)).round(3).tolist())
    moved = random_predictions(rng, [sample, Sample(end)])
    times = np.unique(np.append(rng.uniform(start, end, 5).round(2), [start, end]))
    table = np.column_stack((times, rng.random((len(times), len(SAMPLE_FIELDS)))))
    table[rng.random(table.shape) < 0.3] = np.nan
    table[:, 0] = times

    def merged(stored: Stored, *, replace: bool) -> Any:
        result = stored.samples.merge(times, table[:, 1:], SAMPLE_FIELDS, replace=replace)
        return [plain(part) for part in (result.is_stored, result.written, result.overwritten, result.values)]

    return {
        "append": lambda stored: stored.samples.append(sample),
        "append_many": lambda stored: stored.samples.append_many([sample, sample, Sample(end)]),
        "cycle": lambda stored: stored.cycles.append([sample, Sample(end)], moved),
        "predictions": lambda stored: stored.predictions.append(moved),
        "insert_missing": lambda stored: stored.samples.insert_missing(table),
        "merge": lambda stored: merged(stored, replace=False),
        "replace": lambda stored: merged(stored, replace=True),
        "purge": lambda stored: (stored.samples.purge(start), stored.predictions.purge(start)),
        "purge_between": lambda stored: (
            stored.samples.purge_between(start, end),
            stored.predictions.purge_between(start, end),
            stored.replayed.purge_between(start, end),
        ),
    }


@pytest.mark.parametrize("seed", range(4))
def test_every_write_has_the_same_effect_on_rows_and_on_blocks(pair: Pair, seed: int) -> None:
    rows, blocks = pair(seed, HOURS)
    rng = np.random.default_rng(seed)
    blocks.compress(START + 3 * 3600.0)
    start, end = bounds(rng, rows)
    for name in rng.permutation(sorted(writes(rng, start, end))).tolist():
        start, end = bounds(rng, rows)
        write = writes(rng, start, end)[name]
        assert write(blocks) == write(rows), name
        assert_equal(rows, blocks, rng)
        blocks.compress(START + 3600.0 * int(rng.integers(1, HOURS + 1)))
        assert_equal(rows, blocks, rng)
