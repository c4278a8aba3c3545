"""Tests of `monitor doctor` on real databases: what it reports, and that it changes nothing."""

import contextlib
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from monitor.sampling.sources import procfs
from monitor.training.report import TrainingReport
from monitor.training.report_parts import DetectorReport
from storage import ModelRegistry, Sample, SampleRepository, StorageError, open_database
from storage.inspection import inspect_files, open_read_only

pytestmark = pytest.mark.integration


def files(directory):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


def child(code):
    """Start a process and wait until it has run the code."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}\nprint(1, flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    return process


def end(process):
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_doctor_creates_nothing_before_the_first_start(admin, doctor):
    code, results = doctor()
    assert code == 0
    assert results["database"]["status"] == "warning"
    assert results["port"]["status"] == "skipped"
    assert sorted(files(admin.directory)) == ["config.toml"]


def test_doctor_reads_history_without_changing_a_byte(admin, doctor):
    admin.fill(rows=100)
    before = files(admin.directory)
    code, results = doctor()
    assert code == 1
    assert [results[name]["status"] for name in ("database", "integrity", "write_ahead_log")] == ["ok"] * 3
    assert [name for name, result in results.items() if result["status"] == "failed"] == ["daemon"]
    assert results["model"]["status"] == "warning"
    assert files(admin.directory) == before


def test_doctor_reads_write_ahead_log_of_killed_daemon_without_checkpoint(admin, doctor):
    admin.fill(rows=10)
    code = (
        "import os; from storage import *\n"
        f"SampleRepository(open_database({admin.url!r})).append(Sample({time.time()!r}))\nos.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    before = files(admin.directory)
    _, results = doctor()
    assert results["sample_gaps"]["message"].startswith("11 samples since ")
    after = files(admin.directory)
    # SQLite creates the index of the write-ahead log again when the database is opened.
    kept = [name for name in before if not name.endswith("-shm")]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_read_only_database_refuses_writes(admin):
    admin.fill(rows=1)
    with open_read_only(admin.url) as database, pytest.raises(StorageError, match="readonly"):
        SampleRepository(database).append(Sample(1.0))


@pytest.mark.parametrize(
    ("damage", "detail"),
    [
        (lambda path: path.write_bytes(os.urandom(8192)), "file is not a database"),
        (lambda path: path.write_bytes(path.read_bytes()[:20_000]), "malformed"),
        (lambda path: (path.unlink(), path.mkdir()), "not a file"),
    ],
)
def test_doctor_reports_unreadable_database_and_leaves_it_alone(admin, doctor, damage, detail):
    admin.fill(rows=500)
    damage(admin.database)
    before = files(admin.directory) if admin.database.is_file() else None
    code, results = doctor()
    assert (code, results["database"]["status"]) == (1, "failed")
    assert detail in results["database"]["message"]
    assert results["database"]["fix"]
    assert before is None or files(admin.directory) == before


def test_doctor_finds_corrupt_page(admin, doctor):
    admin.fill(rows=2000)
    with admin.database.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(os.urandom(4096))
    code, results = doctor()
    assert code == 1
    assert "failed" in (results["integrity"]["status"], results["database"]["status"])


def test_doctor_reports_other_schema_without_migrating(admin, doctor):
    admin.fill(rows=1)

    def set_revision(number):
        with contextlib.closing(sqlite3.connect(admin.database)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (number,))

    set_revision("0003")
    code, results = doctor()
    assert results["database"]["status"] == "warning"
    set_revision("9999")
    code, results = doctor()
    assert (code, results["database"]["status"]) == (1, "failed")
    assert "9999" in results["database"]["message"]
    with contextlib.closing(sqlite3.connect(admin.database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_doctor_names_process_that_holds_the_write_lock(admin, doctor):
    admin.fill(rows=10)
    path = str(admin.database)
    holder = child(
        f"import sqlite3; c = sqlite3.connect({path!r}, isolation_level=None); c.execute('BEGIN IMMEDIATE')"
    )
    try:
        code, results = doctor()
    finally:
        end(holder)
    assert code == 1
    assert results["write_lock"]["status"] == "failed"
    assert f"process {holder.pid}" in results["write_lock"]["message"]
    assert results["database"]["status"] == "ok"


def test_short_transaction_is_not_reported(admin):
    admin.fill(rows=1)
    path = str(admin.database)
    holder = child(
        f"import sqlite3; c = sqlite3.connect({path!r}, isolation_level=None); c.execute('BEGIN IMMEDIATE')"
    )
    ending = threading.Timer(0.3, end, (holder,))
    ending.start()
    try:
        assert inspect_files(admin.database, patience=30.0).writer is None
    finally:
        ending.join()


def test_doctor_names_unknown_files_next_to_the_database(admin, doctor):
    admin.fill(rows=1)
    shutil.copy(admin.database, admin.directory / "monitor.db.broken-20260301")
    assert doctor()[1]["unknown_files"]["status"] == "warning"
    assert "monitor.db.broken-20260301" in doctor()[1]["unknown_files"]["message"]


def test_doctor_fails_on_samples_in_the_future(admin, doctor):
    admin.fill(rows=10)
    with open_database(admin.url) as database:
        SampleRepository(database).append(Sample(4_000_000_000.0))
    code, results = doctor()
    assert (code, results["newest_sample"]["status"]) == (1, "failed")
    assert "2096-10-02" in results["newest_sample"]["message"]


def test_doctor_finds_damaged_model_and_detector(admin, doctor):
    admin.fill(rows=10)
    with open_database(admin.url) as database:
        registry = ModelRegistry(database)
        report = TrainingReport(0.0, 0.0, 0, detector=DetectorReport(at=time.time(), step=60.0))
        model_id = registry.register(b"no model", report.to_json(), time.time(), b"no detector")
        registry.promote(model_id, time.time())
    code, results = doctor()
    assert (code, results["model"]["status"], results["detector"]["status"]) == (1, "failed", "failed")
    assert "monitor models rollback" in results["model"]["fix"]
    with contextlib.closing(sqlite3.connect(admin.database)) as connection, connection:
        connection.execute("UPDATE models SET blob = x'00'")
    assert doctor()[1]["model"]["status"] == "failed"


def test_doctor_reports_each_configuration_problem_and_checks_the_host(admin, capsys):
    admin.config.write_text("[trainig]\n[web]\nlisten = 3\n")
    code, out, err = admin("doctor")
    assert (code, err) == (1, "")
    assert [line.split(": ")[1] for line in out.splitlines() if line.startswith("FAIL")] == ["trainig", "web.listen"]
    assert "ok    versions" in out


def test_doctor_reports_broken_proc_by_source_and_runs_other_checks(admin, doctor, tmp_path, monkeypatch):
    proc = tmp_path / "proc"
    (proc / "net").mkdir(parents=True)
    (proc / "stat").write_text("garbage\n")
    (proc / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 500 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
    monkeypatch.setattr(procfs, "PROCFS", str(proc))
    monkeypatch.setattr(procfs, "SYSFS", tmp_path / "sys")
    code, results = doctor()
    assert code == 1
    assert results["source cpu"]["status"] == "failed"
    assert (results["source pressure"]["status"], "psi=1" in results["source pressure"]["fix"]) == ("warning", True)
    assert results["source swap"]["status"] == "ok"
    assert results["configuration"]["status"] == "ok"


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts, and other users")


@contextlib.contextmanager
def mounted(path, options):
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@needs_root
def test_doctor_fails_on_full_disk_missing_inodes_and_read_only_mount(admin, doctor):
    state = admin.directory / "state"
    admin.config.write_text(admin.config.read_text().replace("monitor.db", "state/monitor.db"))
    admin.database = state / "monitor.db"
    with mounted(state, "size=1m,nr_inodes=5"):
        admin.fill(rows=10)
        code, results = doctor()
        assert (code, results["disk_space"]["status"], results["inodes"]["status"]) == (1, "failed", "failed")
        assert results["file_system"]["status"] == "warning"
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        code, results = doctor()
        assert results["mount"]["status"] == "failed"
        assert results["database"]["status"] == "ok"


@needs_root
def test_doctor_fails_on_file_of_another_owner(admin, doctor):
    admin.fill(rows=1)
    os.chown(admin.database, 65534, 65534)
    code, results = doctor()
    assert (code, results["file_owners"]["status"]) == (1, "failed")
    assert "65534" in results["file_owners"]["message"]
