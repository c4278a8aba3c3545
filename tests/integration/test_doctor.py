"""The doctor over real files, locks, ports and a real daemon, healthy and sick: what it finds; and it only looks."""

import contextlib
import hashlib
import http.server
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request

import psutil
import pytest

from monitor.doctor.checks.port import NO_ANSWER, look
from monitor.sampling.sources import procfs
from storage import ModelRegistry, Sample, SampleRepository, StorageError, open_database
from storage.inspection import open_read_only, outside

pytestmark = pytest.mark.integration


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def doctor(admin):
    admin.config.write_text(admin.config.read_text() + f'[web]\nlisten = "127.0.0.1:{free_port()}"\n')

    def ask():
        code, out, err = admin("doctor", "--json")
        assert err == ""
        return code, {result["name"]: result for result in json.loads(out)}

    return ask


def told(result):
    return result["state"], result["found"]


def files(directory):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


def child(code):
    """A process that says when it is there."""
    process = subprocess.Popen([sys.executable, "-c", code + "\nprint(1, flush=True); input()"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    process.stdout.readline()
    return process


def end(process):
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_before_the_first_start_there_is_nothing_and_nothing_is_made(admin, doctor):
    code, found = doctor()
    assert code == 0
    assert told(found["database"]) == ("warning", f"{admin.database}: no database there")
    assert found["port"]["state"] == "skipped"
    assert sorted(files(admin.directory)) == ["config.toml"]


def test_a_history_without_a_daemon_is_read_and_not_a_byte_changes(admin, doctor):
    admin.fill(rows=100)
    before = files(admin.directory)
    code, found = doctor()
    assert code == 1
    assert found["database"]["state"] == found["integrity"]["state"] == found["log"]["state"] == "ok"
    assert [name for name, result in found.items() if result["state"] == "failed"] == ["daemon"]
    assert "none serves yet: not enough history" in found["model"]["found"]
    assert files(admin.directory) == before


def test_what_a_killed_daemon_left_in_the_log_is_read_and_not_written_back(admin, doctor):
    admin.fill(rows=10)
    code = (
        "import os; from storage import *\n"
        f"SampleRepository(open_database({admin.url!r})).append(Sample({time.time()!r}))\nos.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    before = files(admin.directory)
    _, found = doctor()
    assert found["last day"]["found"].startswith("11 samples since ")
    after = files(admin.directory)
    # The index of the log is SQLite's scratch: whoever opens it first makes it anew.
    assert {name: after[name] for name in before if not name.endswith("-shm")} == {
        name: before[name] for name in before if not name.endswith("-shm")
    }


def test_a_write_through_what_was_opened_for_reading_is_refused(admin):
    admin.fill(rows=1)
    with open_read_only(admin.url) as database, pytest.raises(StorageError, match="readonly"):
        SampleRepository(database).append(Sample(1.0))


@pytest.mark.parametrize(
    ("harm", "name", "told_of"),
    [
        (lambda path: path.write_bytes(os.urandom(8192)), "database", "file is not a database"),
        (lambda path: path.write_bytes(path.read_bytes()[:20_000]), "database", "malformed"),
        (lambda path: (path.unlink(), path.mkdir()), "database", "not a file"),
    ],
)
def test_a_broken_database_is_named_and_left_as_it_is(admin, doctor, harm, name, told_of):
    admin.fill(rows=500)
    harm(admin.database)
    before = files(admin.directory) if admin.database.is_file() else None
    code, found = doctor()
    assert (code, found[name]["state"]) == (1, "failed")
    assert told_of in found[name]["found"]
    assert found[name]["mend"]
    assert before is None or files(admin.directory) == before


def test_a_page_of_garbage_in_the_middle_is_found(admin, doctor):
    admin.fill(rows=2000)
    with admin.database.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(os.urandom(4096))
    code, found = doctor()
    assert code == 1
    assert "failed" in (found["integrity"]["state"], found["database"]["state"])


def test_a_database_of_another_schema_is_told_and_not_migrated(admin, doctor):
    admin.fill(rows=1)

    def revision(number):
        with contextlib.closing(sqlite3.connect(admin.database)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (number,))

    revision("0003")
    code, found = doctor()
    assert found["database"]["state"] == "warning"
    assert "earlier release" in found["database"]["found"]
    revision("9999")
    code, found = doctor()
    assert (code, found["database"]["state"]) == (1, "failed")
    assert "9999" in found["database"]["found"]
    with contextlib.closing(sqlite3.connect(admin.database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_the_process_that_keeps_the_write_lock_is_named(admin, doctor):
    admin.fill(rows=10)
    path = str(admin.database)
    holder = child(
        f"import sqlite3; c = sqlite3.connect({path!r}, isolation_level=None); c.execute('BEGIN IMMEDIATE')"
    )
    try:
        code, found = doctor()
    finally:
        end(holder)
    assert code == 1
    assert told(found["write lock"]) == ("failed", f"process {holder.pid} goes on holding it")
    assert found["database"]["state"] == "ok"


def test_a_transaction_that_ends_soon_holds_nobody_up(admin):
    admin.fill(rows=1)
    path = str(admin.database)
    holder = child(
        f"import sqlite3; c = sqlite3.connect({path!r}, isolation_level=None); c.execute('BEGIN IMMEDIATE')"
    )
    ending = threading.Timer(0.3, end, (holder,))
    ending.start()
    try:
        assert outside(admin.database, patience=30.0).writer is None
    finally:
        ending.join()


def test_what_lies_beside_the_database_is_named(admin, doctor):
    admin.fill(rows=1)
    shutil.copy(admin.database, admin.directory / "monitor.db.broken-20260301")
    assert told(doctor()[1]["files beside"]) == ("warning", "monitor.db.broken-20260301")


def test_samples_of_the_future_are_a_failure_that_tells_when(admin, doctor):
    admin.fill(rows=10)
    with open_database(admin.url) as database:
        SampleRepository(database).append(Sample(4_000_000_000.0))
    code, found = doctor()
    assert (code, found["samples"]["state"]) == (1, "failed")
    assert "1 lie in the future, the last at 2096-10-02" in found["samples"]["found"]


def test_a_damaged_model_and_a_damaged_detector_are_found(admin, doctor):
    admin.fill(rows=10)
    with open_database(admin.url) as database:
        registry = ModelRegistry(database)
        detector = {"at": time.time(), "step": 60.0}
        registry.promote(
            registry.register(b"no model", json.dumps({"detector": detector}), time.time(), b"none"), time.time()
        )
    code, found = doctor()
    assert (code, found["model"]["state"], found["detector"]["state"]) == (1, "failed", "failed")
    assert "monitor models rollback" in found["model"]["mend"]
    with contextlib.closing(sqlite3.connect(admin.database)) as connection, connection:
        connection.execute("UPDATE models SET blob = x'00'")
    assert "its checksum does not match" in doctor()[1]["model"]["found"]


def test_a_broken_configuration_has_each_problem_named_and_the_host_looked_at_all_the_same(admin, capsys):
    admin.config.write_text("[trainig]\n[web]\nlisten = 3\n")
    code, out, err = admin("doctor")
    assert (code, err) == (1, "")
    assert [line.split(": ")[1] for line in out.splitlines() if line.startswith("FAIL")] == ["trainig", "web.listen"]
    assert "ok    versions" in out


def test_a_broken_proc_is_told_by_its_source_and_the_other_checks_go_on(admin, doctor, tmp_path, monkeypatch):
    proc = tmp_path / "proc"
    (proc / "net").mkdir(parents=True)
    (proc / "stat").write_text("garbage\n")
    (proc / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 500 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(proc))
    monkeypatch.setattr(procfs, "SYSFS", tmp_path / "sys")
    code, found = doctor()
    assert code == 1
    assert found["source cpu"]["state"] == "failed"
    assert (found["source pressure"]["state"], "psi=1" in found["source pressure"]["mend"]) == ("warning", True)
    assert told(found["source swap"]) == ("ok", "no swap_usage: this host has no swap")
    assert found["configuration"]["state"] == "ok"


class Stranger(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


def test_another_program_on_the_port_is_told_from_the_daemon(admin, doctor):
    admin.fill(rows=1)
    port = int(admin.config.read_text().rpartition(":")[2].strip('"\n'))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Stranger) as server:
        threading.Thread(target=server.serve_forever).start()
        code, found = doctor()
        server.shutdown()
    assert (code, found["port"]["state"]) == (1, "failed")
    assert f"another program (process {os.getpid()}) holds 127.0.0.1:{port}: answers 404" in found["port"]["found"]


def test_what_speaks_no_http_and_what_does_not_speak_at_all_are_answers_too(monkeypatch):
    monkeypatch.setattr("monitor.doctor.checks.port.PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert look("127.0.0.1", silent.getsockname()[1]).healthy.why == NO_ANSWER

    def shout(server):
        for _ in range(2):
            connection, _ = server.accept()
            connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as loud:
        thread = threading.Thread(target=shout, args=(loud,))
        thread.start()
        seen = look("127.0.0.1", loud.getsockname()[1])
        thread.join()
    assert (seen.listening, seen.healthy.code, seen.healthy.why) == (True, 0, "not HTTP")


def test_an_answer_that_comes_drop_by_drop_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("monitor.doctor.checks.port.PATIENCE", 0.5)
    over = threading.Event()

    def drip(server):
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.05):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        seen = look("127.0.0.1", server.getsockname()[1])
        over.set()
        thread.join()
    assert seen.healthy.why == NO_ANSWER


root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts, and other users")


@contextlib.contextmanager
def mounted(path, options):
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@root
def test_a_disk_that_is_full_without_inodes_or_read_only_is_a_failure(admin, doctor):
    state = admin.directory / "state"
    admin.config.write_text(admin.config.read_text().replace("monitor.db", "state/monitor.db"))
    admin.database = state / "monitor.db"
    with mounted(state, "size=1m,nr_inodes=5"):
        admin.fill(rows=10)
        code, found = doctor()
        assert (code, found["disk space"]["state"], found["inodes"]["state"]) == (1, "failed", "failed")
        assert told(found["file system"]) == ("warning", f"tmpfs on {state}: the history ends with the next boot")
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        code, found = doctor()
        assert "mounted read-only" in found["mount"]["found"]
        assert found["database"]["state"] == "ok"


@root
def test_an_owner_who_does_not_fit_and_a_user_who_may_not_read_are_told(admin, doctor, tmp_path_factory):
    admin.fill(rows=1)
    os.chown(admin.database, 65534, 65534)
    code, found = doctor()
    assert (code, found["owner"]["state"]) == (1, "failed")
    assert "monitor.db is nobody (65534)'s" in found["owner"]["found"]


def test_a_healthy_daemon_and_the_same_one_hung_as_the_command_tells_them(admin, doctor):
    admin.config.write_text(admin.config.read_text().replace('interval = "10s"', 'interval = "1s"'))
    port = int(admin.config.read_text().rpartition(":")[2].strip('"\n'))
    command = [sys.executable, "-m", "monitor", "--config", str(admin.config)]
    daemon = subprocess.Popen([*command, "run"], stderr=subprocess.DEVNULL)
    try:
        wait_until_it_samples(daemon, port)
        healthy = subprocess.run([*command, "doctor"], capture_output=True, text=True, check=False)
        assert (healthy.returncode, healthy.stderr) == (0, ""), healthy.stdout
        lines = {line[6:].partition("  ")[0]: line for line in healthy.stdout.splitlines() if line[:1] != " "}
        for name in ("versions", "source cpu", "samples", "database", "integrity", "write lock", "port"):
            assert lines[name].startswith("ok"), lines[name]
        assert f"process {daemon.pid}," in lines["daemon"]
        assert "/-/healthy 200, /metrics 200" in lines["port"]
        daemon.send_signal(signal.SIGSTOP)
        with open_read_only(admin.url) as database:
            stopped = SampleRepository(database).last().at
        while time.time() < stopped + 11:
            time.sleep(0.2)
        code, found = doctor()
        assert code == 1
        assert "and the daemon runs" in found["samples"]["found"]
        assert (found["port"]["state"], "no answer within 2 s" in found["port"]["found"]) == ("failed", True)
        assert found["database"]["state"] == "ok"
    finally:
        daemon.kill()
        daemon.wait()


def wait_until_it_samples(daemon, port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert daemon.poll() is None
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5):
            return
        time.sleep(0.1)
    pytest.fail("the daemon does not sample")
