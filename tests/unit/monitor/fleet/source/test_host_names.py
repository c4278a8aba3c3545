"""Host names: valid names and batches of limited size."""

import itertools

import pytest

from monitor.fleet.source.host_names import BATCH_CHARACTERS, BATCH_HOSTS, batches, is_valid_name

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["web1:9100", "[::1]:9100", "Büro 1", "a|b.*\\"])
def test_printable_name_is_valid(name):
    assert is_valid_name(name)


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00", "x" * 257, "\u202ea"])
def test_empty_long_or_unprintable_name_is_invalid(name):
    assert not is_valid_name(name)


def test_batches_have_all_hosts_once_in_their_order():
    hosts = [f"host-{number}" for number in range(250)]
    result = list(batches(hosts + hosts[:5]))
    assert [len(batch) for batch in result] == [BATCH_HOSTS, BATCH_HOSTS, 50]
    assert list(itertools.chain(*result)) == hosts


def test_batches_of_long_names_are_shorter():
    result = list(batches(f"{number:0250}" for number in range(20)))
    assert max(sum(map(len, batch)) for batch in result) <= BATCH_CHARACTERS
    assert sum(map(len, result)) == 20


def test_no_hosts_have_no_batch():
    assert list(batches(())) == []
