"""Process service: top processes from a companion that sees the processes of all users.

The sandbox of the daemon hides them. systemd starts the companion for each connection; it answers without a request.
"""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

from monitor.sampling.processes.top_processes import TopProcesses, read_top_processes
from monitor.system.json_codec import from_plain

SOCKET = Path("/run/monitor-processes/socket")
"""Socket of the unit `monitor-processes.socket`."""

TIMEOUT = 20.0
"""Seconds after which an answer is given up: a start of the companion, and two readings."""

MAX_ANSWER = 1 << 20
"""Largest answer in bytes."""


def read_processes(*, command_lines: bool, path: Path = SOCKET) -> TopProcesses:
    """Return the top processes from the companion service; without one, read them directly.

    Args:
        command_lines: True to add command lines; the companion decides by its own configuration.
        path: socket of the companion.

    Raises:
        OSError: the connection failed, or the companion did not answer in time.
        ValueError: the answer is not a document of top processes.
    """
    try:
        has_companion = path.is_socket()
    except PermissionError:
        # Another user than that of the service.
        has_companion = False
    if not has_companion:
        return read_top_processes(command_lines=command_lines)
    return from_plain(TopProcesses, json.loads(_read_answer(path)))


def _read_answer(path: Path) -> bytes:
    """Connect, and return everything that the companion writes.

    Raises:
        OSError: the connection failed, or the answer is too late.
        ValueError: the answer is too large.
    """
    deadline = time.monotonic() + TIMEOUT
    answer = b""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(str(path))
        while part := connection.recv(65536):
            answer += part
            if len(answer) > MAX_ANSWER:
                raise ValueError(f"{path}: more than {MAX_ANSWER} bytes")
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
    return answer
