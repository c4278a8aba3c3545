"""Tests of cache objects."""

import pytest

from monitor.daemon.object_cache import ObjectCache

pytestmark = pytest.mark.unit


def test_object_is_kept_while_its_inputs_are_equal():
    cache = ObjectCache()
    first = cache.get("list", (1, "a"), list)
    assert cache.get("list", (1, "a"), list) is first
    assert cache.get("list", (2, "a"), list) is not first
    assert cache.get("other", (2, "a"), dict) == {}


def test_copy_leaves_the_original_unchanged():
    cache = ObjectCache()
    first = cache.get("list", (1,), list)
    copy = cache.copy()
    assert copy.get("list", (2,), list) is not first
    assert cache.get("list", (1,), list) is first


def test_failed_build_keeps_the_previous_object():
    cache = ObjectCache()
    first = cache.get("list", (1,), list)

    def fail():
        raise KeyError

    with pytest.raises(KeyError):
        cache.get("list", (2,), fail)
    assert cache.get("list", (1,), list) is first
