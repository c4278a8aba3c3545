"""Tests of the signals of the daemon."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from monitor.daemon.signals import SIGNALS, Request, blocked_signals, request_reload, wait_for_request

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


def test_wait_ends_after_its_timeout():
    assert wait_for_request(0.001) == Request.NONE
    assert wait_for_request(0) == Request.NONE


WAITS = """
from monitor.daemon.signals import block_signals, wait_for_request
block_signals()
requests = set()
print("waiting", flush=True)
while not requests or input_pending():
    requests.add(wait_for_request(0.05))
print(*sorted(request.value for request in requests))
""".replace("input_pending()", "not __import__('select').select([0], [], [], 0)[0]")


def test_stopped_and_continued_process_receives_no_request():
    command = [sys.executable, "-c", WAITS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        for _ in range(5):
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            time.sleep(0.06)
            process.send_signal(signal.SIGCONT)
            time.sleep(0.01)
        assert process.communicate("\n")[0].split() == [str(Request.NONE.value)]


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
