"""Tests of the signal handling of the daemon."""

import signal

import pytest

from monitor.daemon.signals import handled_signals

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_signals_request_stop_and_wake(number):
    with handled_signals() as requests:
        signal.raise_signal(number)
        assert (requests.stop, requests.reload, requests.wake.is_set()) == (True, False, True)


def test_sighup_requests_reload_and_wakes():
    with handled_signals() as requests:
        signal.raise_signal(signal.SIGHUP)
        assert (requests.stop, requests.reload, requests.wake.is_set()) == (False, True, True)


def test_handled_signals_restores_previous_handlers():
    previous = signal.getsignal(signal.SIGTERM)
    with handled_signals():
        assert signal.getsignal(signal.SIGTERM) != previous
    assert signal.getsignal(signal.SIGTERM) == previous
