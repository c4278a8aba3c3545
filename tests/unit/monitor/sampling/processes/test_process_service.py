"""Process service: answers of a companion on a real socket, and the direct reading without one."""

import json
import socket
import threading
from pathlib import Path

import pytest

from monitor.sampling.processes import process_service
from monitor.sampling.processes.process_service import read_processes
from monitor.sampling.processes.top_processes import TopProcesses
from monitor.system.json_codec import to_json
from storage import ProcessUsage

pytestmark = pytest.mark.unit

ANSWER = TopProcesses(1.0, 200, 190, True, (ProcessUsage(7, "java", 1.5, 2**20, None, None, None),))
DIRECT = TopProcesses(1.0, 1, 0, True, ())


@pytest.fixture(autouse=True)
def _direct_reading(monkeypatch):
    monkeypatch.setattr(process_service, "read_top_processes", lambda *, command_lines: DIRECT)


@pytest.fixture
def companion(tmp_path):
    """Return a function that starts a companion with an answer (None: it stays silent) and returns its socket."""
    servers = []

    def start(answer):
        server = socket.create_server(str(tmp_path / "socket"), family=socket.AF_UNIX)
        servers.append(server)

        def serve():
            connection, _ = server.accept()
            if answer is None:
                servers.append(connection)
                return
            with connection:
                # The client may give up before everything is sent.
                try:
                    connection.sendall(answer)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        return tmp_path / "socket"

    yield start
    for server in servers:
        server.close()


def test_answer_of_the_companion_is_returned(companion):
    assert read_processes(command_lines=False, path=companion(to_json(ANSWER).encode())) == ANSWER


def test_unknown_keys_of_a_newer_companion_are_ignored(companion):
    answer = json.loads(to_json(ANSWER)) | {"at": 5.0}
    assert read_processes(command_lines=False, path=companion(json.dumps(answer).encode())) == ANSWER


@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b"{}", b'"' + b"x" * process_service.MAX_ANSWER + b'"'])
def test_malformed_answers_raise_a_value_error(companion, answer):
    with pytest.raises(ValueError):  # noqa: PT011  the messages are those of the parts
        read_processes(command_lines=False, path=companion(answer))


def test_silent_companion_raises_after_the_timeout(companion, monkeypatch):
    monkeypatch.setattr(process_service, "TIMEOUT", 0.05)
    with pytest.raises(TimeoutError):
        read_processes(command_lines=False, path=companion(None))


@pytest.mark.parametrize("path", ["missing", "file"])
def test_processes_are_read_directly_without_a_companion(tmp_path, path):
    (tmp_path / "file").touch()
    assert read_processes(command_lines=False, path=tmp_path / path) is DIRECT


def test_processes_are_read_directly_if_the_socket_belongs_to_others(monkeypatch):
    def deny(_):
        raise PermissionError

    monkeypatch.setattr(Path, "is_socket", deny)
    assert read_processes(command_lines=False) is DIRECT
