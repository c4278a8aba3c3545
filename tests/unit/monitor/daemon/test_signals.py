"""Tests of the signals of the daemon."""

import signal
import threading

import pytest

from monitor.daemon.signals import SIGNALS, Request, blocked_signals, request_reload, stop_pending, wait_for_request

pytestmark = pytest.mark.unit

LONG = 60.0


@pytest.fixture(autouse=True)
def blocked():
    with blocked_signals():
        yield
        while wait_for_request(0):
            pass


@pytest.mark.parametrize(
    ("numbers", "request_"),
    [
        ([signal.SIGTERM], Request.STOP),
        ([signal.SIGINT], Request.STOP),
        ([signal.SIGHUP], Request.RELOAD),
        ([signal.SIGHUP, signal.SIGTERM], Request.RELOAD | Request.STOP),
    ],
)
def test_wait_returns_pending_signals_once(numbers, request_):
    for number in numbers:
        signal.raise_signal(number)
    assert wait_for_request(LONG) == request_
    assert wait_for_request(0) == Request.NONE


def test_wait_merges_a_storm_of_signals():
    for _ in range(1000):
        signal.raise_signal(signal.SIGHUP)
    assert wait_for_request(LONG) == Request.RELOAD
    assert wait_for_request(0) == Request.NONE


def test_reload_is_requested_from_another_thread():
    thread = threading.Thread(target=request_reload)
    thread.start()
    assert wait_for_request(LONG) == Request.RELOAD
    thread.join()


def test_stop_stays_pending_until_it_is_taken():
    signal.raise_signal(signal.SIGHUP)
    assert not stop_pending()
    signal.raise_signal(signal.SIGTERM)
    assert stop_pending()
    wait_for_request(LONG)
    assert not stop_pending()


def test_threads_inherit_blocked_signals():
    masks = []
    thread = threading.Thread(target=lambda: masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    thread.start()
    thread.join()
    assert masks[0] >= SIGNALS


def test_blocked_signals_restores_the_previous_mask():
    before = signal.pthread_sigmask(signal.SIG_SETMASK, ())
    with blocked_signals():
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= SIGNALS
    assert signal.pthread_sigmask(signal.SIG_SETMASK, before) == set()
