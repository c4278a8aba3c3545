"""Faults of the process: limits, streams, signals, hung jobs, killed trainers."""

import os
import re
import resource
import signal
import subprocess
import sys
import time

from tests.faults.injectors import locks, process
from tests.faults.table import case

SAMPLES = "sampling continues, `/-/healthy` and `/metrics` answer"
CONTINUES = "the previous configuration continues, with its samples and counters"


def assert_samples(daemon, more=10):
    """Assert that the daemon takes more samples and is healthy."""
    daemon.wait_sampled(more)
    assert daemon.healthy()


@case("no free descriptors", "RLIMIT_NOFILE at the number of open ones, while running", 3, SAMPLES)
def no_descriptors(lab):
    daemon = lab.daemon().start()
    pid = daemon.process.pid
    with process.limited(pid, resource.RLIMIT_NOFILE, process.highest_descriptor(pid) + 1):
        assert_samples(daemon, 20)
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery


@case("few descriptors at start", "RLIMIT_NOFILE at 10, 14, 18, 22, 26 and 30", 3, SAMPLES)
def few_descriptors(lab):
    for limit in range(10, 32, 4):
        daemon = lab.daemon().start(prefix=("prlimit", f"--nofile={limit}:{limit}"), wait=False)
        daemon.wait(lambda daemon=daemon: daemon.metric("samples_total") > 5)
        assert_samples(daemon)
        assert daemon.stop() == 0


@case(
    "no memory",
    "RLIMIT_AS at the present size, 50 scrapes and page views",
    3,
    "continues afterwards; at most 20 log lines",
    long=True,
)
def no_memory(lab):
    daemon = lab.daemon().start()
    pid = daemon.process.pid
    lines = len(daemon.log().splitlines())
    with process.limited(pid, resource.RLIMIT_AS, process.address_space(pid)):
        for _ in range(50):
            daemon.get("/metrics")
            daemon.get("/")
    recovery = daemon.wait_stored(1)
    assert daemon.healthy()
    new = daemon.log().splitlines()[lines:]
    assert len(new) <= 20, "\n".join(new)
    daemon.assert_stops()
    return recovery


@case(
    "stderr blocked",
    "full pipe that nobody reads, log level debug",
    2,
    "sampling continues, SIGTERM ends with exit code 0",
)
def stderr_blocked(lab):
    pipe = lab.enter(process.unread_pipe())
    daemon = lab.daemon(extra='[log]\nlevel = "debug"\n').start(stderr=pipe)
    with locks.exclusive_lock(daemon.database):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        assert_samples(daemon)
        daemon.process.send_signal(signal.SIGHUP)
        assert_samples(daemon)
    daemon.assert_stops()


@case("reader of stderr gone", "pipe whose reading end is closed", 2, "sampling continues, exit code 0")
def stderr_broken(lab):
    reading, writing = os.pipe()
    os.close(reading)
    daemon = lab.daemon(extra='[log]\nlevel = "debug"\n').start(stderr=writing)
    os.close(writing)
    daemon.process.send_signal(signal.SIGHUP)
    assert_samples(daemon)
    daemon.assert_stops()


@case(
    "stdin, stdout and stderr closed",
    "closed before exec",
    3,
    "descriptors 0 to 2 never become a socket or the database; exit code 0",
)
def streams_closed(lab):
    daemon = lab.daemon(interval=1).start(real=True, prefix=("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"))
    for number in range(3):
        assert os.readlink(f"/proc/{daemon.process.pid}/fd/{number}") == "/dev/null"  # noqa: PTH115
    assert_samples(daemon, 2)
    daemon.assert_stops()


@case("log file on a full disk", "stderr is /dev/full", 2, "sampling continues, exit code 0")
def stderr_full(lab):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        daemon = lab.daemon(extra='[log]\nlevel = "debug"\n').start(stderr=full)
    assert_samples(daemon)
    daemon.assert_stops()


@case("SIGTERM during the start", "0.05 s to 2 s after exec, ten times", 3, "exit code 0")
def stop_during_start(lab):
    for number in range(10):
        daemon = lab.daemon(interval=1).start(real=True, wait=False)
        process.wait_for_blocked_signal(daemon.process.pid, signal.SIGTERM)
        # A bare interpreter takes a tenth of that; the imports of the daemon take more.
        assert process.cpu_seconds(daemon.process.pid) < 0.3
        time.sleep(0.2 * number)
        assert daemon.stop() == 0


@case("SIGHUP during the start", "every 50 ms for the first 2 s", 3, "starts and samples")
def reload_during_start(lab):
    daemon = lab.daemon(interval=1).start(real=True, wait=False)
    process.wait_for_blocked_signal(daemon.process.pid, signal.SIGHUP)
    for _ in range(40):
        daemon.process.send_signal(signal.SIGHUP)
        time.sleep(0.05)
    daemon.wait_stored(2)
    assert_samples(daemon, 1)
    daemon.assert_stops()


@case("storm of SIGHUP and SIGTERM", "200 signals of each", 3, "exit code 0")
def stop_storm(lab):
    daemon = lab.daemon().start()
    daemon.metrics()
    for _ in range(200):
        if daemon.running():
            daemon.process.send_signal(signal.SIGHUP)
            daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(90) == 0
    daemon.assert_no_sample_lost()


@case("process stopped for 15 s", "SIGSTOP, SIGCONT", 3, "the missed samples are counted; sampling continues")
def process_stopped(lab):
    daemon = lab.daemon().start()
    missed = daemon.metric("samples_missed_total")
    daemon.process.send_signal(signal.SIGSTOP)
    time.sleep(15)
    daemon.process.send_signal(signal.SIGCONT)
    recovery = daemon.wait_stored(2)
    assert daemon.healthy()
    assert daemon.metric("samples_missed_total") - missed >= 60
    daemon.assert_stops()
    return recovery


def assert_reload_refused(daemon, text):
    """Reload a configuration that is refused, and assert that the daemon continues as before."""
    good = daemon.config.read_text()
    daemon.config.write_text(text)
    taken = daemon.metric("samples_total")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda: daemon.metric("config_last_reload_successful", 1) == 0)
    assert daemon.metric("samples_total") >= taken
    assert_samples(daemon)
    daemon.config.write_text(good)
    daemon.process.send_signal(signal.SIGHUP)
    recovery = daemon.wait(lambda: daemon.metric("config_last_reload_successful") == 1)
    daemon.assert_stops()
    return recovery


@case("reload of a configuration that is not TOML", "SIGHUP", 8, CONTINUES)
def reload_not_toml(lab):
    daemon = lab.daemon().start()
    return assert_reload_refused(daemon, "[sampling\ninterval = ")


@case("reload of a deeply nested configuration", "10,000 brackets, SIGHUP", 8, CONTINUES)
def reload_nested(lab):
    daemon = lab.daemon().start()
    return assert_reload_refused(daemon, "a = " + "[" * 10_000 + "]" * 10_000)


@case("reload of an unknown key", "SIGHUP", 8, CONTINUES)
def reload_unknown_key(lab):
    daemon = lab.daemon().start()
    return assert_reload_refused(daemon, daemon.config.read_text() + "[sampling.typo]\n")


@case("reload with the port taken", "another process listens on the new port, SIGHUP", 4, CONTINUES)
def reload_port_taken(lab):
    other = lab.daemon().start()
    daemon = lab.daemon().start()
    return assert_reload_refused(daemon, daemon.config.read_text().replace(str(daemon.port), str(other.port)))


@case("reload with a database that cannot be opened", "storage.url below a file, SIGHUP", 4, CONTINUES)
def reload_bad_database(lab):
    daemon = lab.daemon().start()
    text = daemon.config.read_text().replace(str(daemon.database), f"{daemon.config}/monitor.db")
    return assert_reload_refused(daemon, text)


@case(
    "reload while the database is locked",
    "BEGIN EXCLUSIVE in another process, SIGHUP",
    1,
    "sampling continues; the samples that waited before the reload are stored afterwards",
)
def reload_while_locked(lab):
    daemon = lab.daemon().start()
    with locks.exclusive_lock(daemon.database):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 10)
        taken = daemon.metric("samples_total")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_sampled(10)
        assert daemon.healthy()
        assert daemon.metric("samples_total") > taken
    recovery = daemon.wait_stored(1)
    taken = daemon.metric("samples_total")
    daemon.assert_stops()
    assert daemon.rows() >= taken
    return recovery


HANG = """
import threading
from {module} import {name}
{name}.run = lambda self: threading.Event().wait()
"""
DETECTION = HANG.format(module="monitor.jobs.anomaly_detection", name="AnomalyDetectionJob")


@case(
    "SIGHUP while a job hangs",
    "anomaly detection never returns, SIGHUP",
    4,
    "sampling continues with the new configuration",
)
def reload_while_job_hangs(lab):
    daemon = lab.daemon().start(fault=DETECTION)
    time.sleep(16)
    at = daemon.metric("config_last_reload_success_timestamp_seconds")
    daemon.process.send_signal(signal.SIGHUP)
    recovery = daemon.wait(lambda: daemon.metric("config_last_reload_success_timestamp_seconds") > at)
    assert_samples(daemon)
    daemon.assert_stops()
    return recovery


@case(
    "sampling hangs",
    "a source never returns after 20 samples",
    3,
    "`/-/healthy` turns to 503, predictions disappear, exit code 0",
)
def sampling_hangs(lab):
    daemon = lab.daemon()
    daemon.start(
        fault="""
import threading
from monitor.sampling.sampler import Sampler
original = Sampler.sample
def sample(self):
    if self.samples_total > 20:
        threading.Event().wait()
    return original(self)
Sampler.sample = sample
"""
    )
    daemon.wait(lambda: daemon.get("/-/healthy")[0] == 503)
    page = daemon.metrics()
    assert page
    assert not [name for name in page if name.startswith("high_load_probability")]
    assert daemon.stop() == 0


@case(
    "small address space",
    "RLIMIT_AS from 60 to 200 MB at the start of `monitor run`, `retrain`, `status` and `models`",
    8,
    "one error line without a traceback",
)
def small_address_space(lab):
    daemon = lab.daemon().start()
    daemon.assert_stops()
    for megabytes in (60, 80, 100, 120, 140, 160, 180, 200):
        limit = ["prlimit", f"--as={megabytes}000000", sys.executable, "-P", "-m", "monitor"]
        for command in ("run", "retrain", "status", "models"):
            line = [*limit, "--config", str(daemon.config), command]
            completed = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
            assert "Traceback" not in completed.stderr, (command, megabytes)
            if command in ("run", "retrain"):
                assert completed.returncode == 1
                assert len(completed.stderr.splitlines()) == 1


@case("every run of a job fails", "anomaly detection raises MemoryError", 2, "sampling continues; failures counted")
def job_raises(lab):
    daemon = lab.daemon().start(
        fault="""
from monitor.jobs.anomaly_detection import AnomalyDetectionJob
def run(self):
    raise MemoryError
AnomalyDetectionJob.run = run
"""
    )
    daemon.wait(lambda: daemon.metric('job_failures_total{job="anomaly_detection"}') > 0)
    assert_samples(daemon)
    daemon.assert_stops()


@case(
    "garbage in /proc",
    "the sources read random bytes",
    2,
    "missing values, `source_success` 0, the daemon is healthy",
)
def garbage_in_proc(lab):
    directory = lab.directory / "proc"
    directory.mkdir()
    for name in ("stat", "meminfo", "loadavg", "net/dev", "diskstats", "vmstat", "swaps", "cpuinfo"):
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(os.urandom(2000))
    daemon = lab.daemon().start(
        fault=f"from monitor.sampling.sources import procfs; procfs.PROCFS = {str(directory)!r}"
    )
    assert daemon.metric('source_success{source="cpu"}', 1) == 0
    assert_samples(daemon)
    daemon.assert_stops()


@case("network interface comes and goes", "veth pair added and deleted 30 times", 2, "sampling continues")
def interfaces_vanish(lab):
    lab.need_root()
    lab.need("ip")
    daemon = lab.daemon().start()
    for number in range(30):
        pair = ("ip", "link", "add", f"mfault{number}", "type", "veth", "peer", "name", f"mfaultp{number}")
        subprocess.run(pair, check=True)
        subprocess.run(("ip", "link", "del", f"mfault{number}"), check=True)
    assert_samples(daemon)
    assert daemon.metric('source_success{source="network"}') == 1
    daemon.assert_stops()


@case(
    "n-th call of SQLite fails",
    "sqlite3.OperationalError at call n = 1, 2, 4, ... 128 of the process",
    4,
    "starts, samples and stores in every case; no acknowledged sample lost",
)
def nth_call_fails(lab):
    for number in (1, 2, 4, 8, 16, 32, 64, 128):
        assert_nth_call_fails(lab, number)


@case("n-th call of SQLite fails, every n", "n = 1 to 120", 4, "as for the powers of two", long=True)
def every_nth_call_fails(lab):
    for number in range(1, 121):
        assert_nth_call_fails(lab, number)


def assert_nth_call_fails(lab, number):
    daemon = lab.daemon().start(fault=NTH_CALL.format(number=number), wait=False)
    daemon.wait(lambda: daemon.metric("samples_total") > 3)
    daemon.wait_stored(2)
    daemon.assert_stops()
    assert not re.search("Traceback", daemon.log())


NTH_CALL = """
import itertools, sqlite3, sqlite3.dbapi2
calls = itertools.count(1)

def count():
    if next(calls) == {number}:
        raise sqlite3.OperationalError("disk I/O error")

class Cursor(sqlite3.Cursor):
    def execute(self, *arguments):
        count()
        return super().execute(*arguments)

    def executemany(self, *arguments):
        count()
        return super().executemany(*arguments)

class Connection(sqlite3.Connection):
    def cursor(self, factory=Cursor):
        return super().cursor(factory)

    def execute(self, *arguments):
        count()
        return super().execute(*arguments)

    def commit(self):
        count()
        return super().commit()

original = sqlite3.connect
def connect(*arguments, **options):
    count()
    return original(*arguments, **{{**options, "factory": Connection}})

sqlite3.connect = sqlite3.dbapi2.connect = connect
"""
