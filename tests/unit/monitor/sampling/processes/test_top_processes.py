"""Top processes: real child processes, and processes that end, hide or exceed the limits."""

import os
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import psutil
import pytest

from monitor.sampling.processes import top_processes
from monitor.sampling.processes.top_processes import LISTED, read_processes, read_top_processes

pytestmark = pytest.mark.unit

BURN = "import sys\nprint(flush=True)\nwhile True: pass"


@pytest.fixture
def burner():
    """A process that uses a CPU, with a secret in its command line."""
    command = [sys.executable, "-c", BURN, "https://user:secret@example.org/", "x" * 500]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


class FakeProcess:
    """Process whose processor time grows with its ID and with each reading."""

    readings = 0
    denied = frozenset()
    ended = frozenset()

    def __init__(self, pid):
        if pid in self.ended:
            raise psutil.NoSuchProcess(pid)
        type(self).readings += 1
        self.pid = pid

    def create_time(self):
        return 1.0

    def oneshot(self):
        return nullcontext()

    def cpu_times(self):
        return SimpleNamespace(user=self.pid * self.readings, system=0.0)

    def memory_info(self):
        return SimpleNamespace(rss=1000 - self.pid)

    def io_counters(self):
        if self.pid in self.denied:
            raise psutil.AccessDenied(self.pid)
        return SimpleNamespace(read_bytes=0, write_bytes=self.readings if self.pid == 20 else 0)


@pytest.fixture
def processes(monkeypatch):
    """Replace the processes of this machine by fake ones with the IDs 1 to 40."""
    kind = type("Fake", (FakeProcess,), {})
    monkeypatch.setattr(psutil, "Process", kind)
    monkeypatch.setattr(psutil, "pids", lambda: list(range(1, 41)))
    monkeypatch.setattr(top_processes, "_program_name", lambda pid: f"program{pid}")
    return kind


def test_busy_process_is_listed_with_its_use(burner):
    top = read_top_processes(command_lines=False)
    usage = next(process for process in top.processes if process.pid == burner.pid)
    assert usage.cpu > 0.02
    assert usage.memory > 2**20
    assert usage.name == psutil.Process(burner.pid).name()[:15]
    assert usage.command_line is None
    assert top.visited > 1
    assert top.seconds >= 1.0
    assert top.complete


def test_command_line_is_cut_and_has_no_credentials(burner, monkeypatch):
    monkeypatch.setattr(psutil, "pids", lambda: [burner.pid])
    (usage,) = read_top_processes(command_lines=True, wait=lambda _: None).processes
    assert usage.command_line.startswith(sys.executable)
    assert "secret" not in usage.command_line
    assert len(usage.command_line) <= top_processes.MAX_COMMAND_LINE


def test_union_of_the_largest_is_listed_most_processor_time_first(processes):
    top = read_top_processes(command_lines=False, wait=lambda _: None)
    by_cpu = [40, 39, 38, 37, 36]
    assert [usage.pid for usage in top.processes[:LISTED]] == by_cpu
    assert {usage.pid for usage in top.processes} == {*by_cpu, 1, 2, 3, 4, 5, 20}
    assert (top.visited, top.complete, top.io_hidden) == (40, True, 0)


def test_process_that_ends_is_left_out(processes):
    def end(_):
        processes.ended = {40}

    top = read_top_processes(command_lines=False, wait=end)
    assert [usage.pid for usage in top.processes[:2]] == [39, 38]


def test_hidden_io_is_unknown_and_counted(processes):
    processes.denied = {20, 40}
    top = read_top_processes(command_lines=False, wait=lambda _: None)
    assert top.io_hidden == 2
    assert (top.processes[0].pid, top.processes[0].disk_read, top.processes[0].disk_write) == (40, None, None)
    assert 20 not in {usage.pid for usage in top.processes}


def test_readings_stop_at_the_limit_of_processes(processes, monkeypatch):
    monkeypatch.setattr(top_processes, "MAX_PROCESSES", 10)
    top = read_top_processes(command_lines=False, wait=lambda _: None)
    assert (top.visited, top.complete) == (10, False)
    assert processes.readings == 20


def test_reading_stops_at_the_time_limit(processes):
    times = iter(range(100))
    reading = read_processes(psutil.pids(), clock=lambda: next(times))
    assert not reading.complete
    assert len(reading.processes) == 2


def test_malformed_entries_of_proc_are_left_out(monkeypatch, tmp_path):
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    for pid, stat in ((1, ""), (2, "2 (x"), (3, "3 (x) S 1 2")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(stat)
    assert read_processes([1, 2, 3, os.getpid()]).processes == {}
