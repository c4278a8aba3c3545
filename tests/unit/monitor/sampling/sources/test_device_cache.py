"""Cache of device properties."""

import pytest

from monitor.sampling.sources.device_cache import REFRESH_AFTER, DeviceCache

pytestmark = pytest.mark.unit


class Loader:
    """Records each load, and returns the number of loads."""

    def __init__(self):
        self.loads = []
        self.error = None

    def __call__(self, names):
        if self.error:
            raise self.error
        self.loads.append(names)
        return len(self.loads)


def test_device_cache_loads_again_if_the_names_change():
    loader = Loader()
    cache = DeviceCache(loader)
    properties = [cache.get(names) for names in (["a"], ["a"], ["a", "b"], ["b", "a"], ["b"])]
    assert loader.loads == [frozenset(), {"a"}, {"a", "b"}, {"b"}]
    assert properties == [2, 2, 3, 3, 4]


def test_device_cache_loads_again_after_some_lookups():
    loader = Loader()
    cache = DeviceCache(loader)
    for _ in range(REFRESH_AFTER + 1):
        cache.get(["a"])
    assert loader.loads == [frozenset(), {"a"}, {"a"}]


def test_device_cache_loads_again_after_it_expired():
    loader = Loader()
    cache = DeviceCache(loader)
    cache.get(["a"])
    cache.expire()
    assert [cache.get(["a"]), cache.get(["a"])] == [3, 3]


def test_device_cache_tries_again_after_a_failed_load():
    loader = Loader()
    cache = DeviceCache(loader)
    loader.error = OSError("gone")
    with pytest.raises(OSError, match="gone"):
        cache.get(["a"])
    loader.error = None
    assert cache.get(["a"]) == 2
