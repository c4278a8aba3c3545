"""Sharding: the hash of the relabelling action hashmod."""

import pytest

from monitor.fleet.source.sharding import hashmod, in_shard

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("values", "modulus", "expected"),
    [(("foo\nbar",), 1000, 734), (("foo",), 1000, 696), (("foo", "bar"), 1000, 750), (("a",), 1, 0)],
)
def test_hashmod_uses_the_last_half_of_the_digest(values, modulus, expected):
    assert hashmod(values, modulus) == expected


def test_every_host_is_in_one_shard():
    hosts = [f"host-{number}:9100" for number in range(1000)]
    counts = [sum(in_shard(host, shard, 10) for host in hosts) for shard in range(10)]
    assert sum(counts) == 1000
    assert min(counts) > 60
    assert all(in_shard(host, 0, 1) for host in hosts)
