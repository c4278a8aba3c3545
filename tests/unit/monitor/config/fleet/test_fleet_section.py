"""Section [fleet]: executors and shards."""

import tomllib

import pytest

from monitor.config.loader import read_config

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("lines", "keys"),
    [
        ('executor = "dask://scheduler:8786"', []),
        ('executor = "dask://[::1]:8786"', []),
        ('executor = "dask"', ["fleet.executor"]),
        ("shards = 10\nshard = 9", []),
        ("shards = 10\nshard = 10", ["fleet.shard"]),
        ("shards = 0", ["fleet.shards"]),
        ("workers = -1", ["fleet.workers"]),
        ('expire_after = "1s"', ["fleet.expire_after"]),
    ],
)
def test_keys_and_shards(lines, keys):
    problems = read_config(tomllib.loads(f"[fleet]\n{lines}"))[1]
    assert [problem.partition(":")[0] for problem in problems] == keys
