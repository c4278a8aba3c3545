"""Delivery: attempts in sender processes, each with a time limit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from monitor.notifications.sender import SendRequest
from monitor.notifications.sending import SendOutcome, SendResult
from monitor.system.json_codec import DecodeError, from_plain, to_json
from monitor.system.processes import child_environment

GRACE = 15.0
"""Seconds after the timeout of a channel at which its sender is killed: on a busy host, its start takes long."""

MAX_PARALLEL = 8
"""Largest number of sender processes at a time."""


class SenderProcesses:
    """Sender processes of this process; thread-safe."""

    def __init__(self, grace: float = GRACE) -> None:
        """Initialize without processes.

        Args:
            grace: seconds after the timeout of a channel at which its sender is killed.
        """
        self._grace = grace
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def send_all(self, requests: Sequence[SendRequest]) -> list[SendResult]:
        """Send events in parallel, and return the result of each."""
        if len(requests) < 2:
            return list(map(self.send, requests))
        with ThreadPoolExecutor(min(len(requests), MAX_PARALLEL), "notification") as pool:
            return list(pool.map(self.send, requests))

    def send(self, request: SendRequest) -> SendResult:
        """Send an event in a process, and return the result; kill the process if it takes too long."""
        process = self._start()
        if process is None:
            return SendResult(SendOutcome.FAILED, "stopping")
        try:
            output, _ = process.communicate(to_json(request).encode(), request.channel.timeout + self._grace)
        except subprocess.TimeoutExpired:
            return SendResult(SendOutcome.FAILED, f"no result within {request.channel.timeout + self._grace:g} s")
        finally:
            self._end(process)
        return _read_result(output, process.returncode)

    def stop(self) -> None:
        """Kill the running processes, and start no other: their events are sent again after the next start."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _kill(process)

    def _start(self) -> subprocess.Popen[bytes] | None:
        """Start a process in a session of its own, which includes the program that it may run; None after `stop`."""
        environment = child_environment()
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "monitor.notifications.sender"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
            self._running.add(process)
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        _kill(process)
        process.communicate()
        with self._lock:
            self._running.discard(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that has not ended, with the program that it runs."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _read_result(output: bytes, code: int) -> SendResult:
    try:
        return from_plain(SendResult, json.loads(output))
    except (ValueError, DecodeError):
        return SendResult(SendOutcome.FAILED, f"the sender ended with exit code {code}")
