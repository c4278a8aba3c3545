"""Garbage collection: nested and overlapping pauses."""

import gc

import pytest

from monitor.fleet.source.garbage_collection import collection_paused

pytestmark = pytest.mark.unit


def test_collector_is_off_until_the_last_block_ends():
    assert gc.isenabled()
    outer, inner = collection_paused(), collection_paused()
    outer.__enter__()
    inner.__enter__()
    assert not gc.isenabled()
    outer.__exit__(None, None, None)
    assert not gc.isenabled()
    inner.__exit__(None, None, None)
    assert gc.isenabled()


def test_collector_is_on_after_an_exception():
    with pytest.raises(ValueError, match="boom"), collection_paused():
        raise ValueError("boom")
    assert gc.isenabled()


def test_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with collection_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
