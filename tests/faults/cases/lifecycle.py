"""Signals, reloads and jobs that hang, with what they leave behind."""

import os
import signal
import time

from tests.faults.injectors import process
from tests.faults.table import case

HANG = """
import monitor.jobs.{module} as module, os, time
original = module.{name}.run
def run(self):
    while os.path.exists({path!r}):
        time.sleep(0.05)
    original(self)
module.{name}.run = run
"""

SHORT_DEADLINES = """
import monitor.daemon.wiring as wiring
job = wiring.Job
fast = {{"offset": 0.0, "deadline": 0.5}}
wiring.Job = lambda name, interval, run, **keys: job(name, {interval}, run, **{{**keys, **fast}})
"""

JOB_THREADS = 10
"""Largest number of threads that the jobs start when they first run."""


def threads(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/task"))  # noqa: PTH208


def reload(daemon, success=1.0):
    """Send SIGHUP and wait for the result of the reload."""
    name = "config_last_reload_success_timestamp_seconds" if success else "config_reload_failures_total"
    before = daemon.metric(name)
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda: daemon.metric(name) > before)
    assert daemon.metric("config_last_reload_successful") == success


@case(
    "1,000 SIGHUP within a second",
    "signals to the running process",
    3,
    "sampling continues with its counters; no thread or descriptor stays; the daemon stops with 0",
)
def signal_storm(lab):
    daemon = lab.daemon().start()
    reload(daemon)
    before = threads(daemon), process.open_descriptors(daemon.process.pid)
    taken = daemon.metric("samples_total")
    for _ in range(1000):
        daemon.process.send_signal(signal.SIGHUP)
        time.sleep(0.001)
    reload(daemon)
    daemon.wait_sampled(3)
    assert daemon.metric("samples_total") > taken
    # Each job that first ran meanwhile has started its thread.
    daemon.wait(lambda: threads(daemon) <= before[0] + JOB_THREADS)
    daemon.wait(lambda: process.open_descriptors(daemon.process.pid) <= before[1] + 2)
    assert daemon.healthy()
    daemon.assert_stops()


@case("SIGTERM during a reload", "SIGHUP and SIGTERM at once, ten times", 3, "exit code 0; no sample lost")
def stop_during_reload(lab):
    daemon = lab.daemon()
    for pause in range(10):
        daemon.start()
        daemon.process.send_signal(signal.SIGHUP)
        time.sleep(pause * 0.005)
        daemon.assert_stops()


@case(
    "two hung jobs",
    "retention and scoring wait for a file",
    3,
    "the other jobs and sampling continue; /-/healthy is 503, metric and log name the jobs; all recover",
)
def jobs_hang(lab):
    hang = lab.directory / "hang"
    fault = HANG.format(module="retention", name="RetentionJob", path=str(hang))
    fault += HANG.format(module="scoring", name="ScoringJob", path=str(hang))
    daemon = lab.daemon().start(fault=fault + SHORT_DEADLINES.format(interval=0.3))
    hang.touch()
    for job in ("retention", "scoring"):
        daemon.wait(lambda job=job: daemon.metric(f'job_hung{{job="{job}"}}') == 1)
    assert daemon.get("/-/healthy")[0] == 503
    runs = {job: daemon.metric(f'job_runs_total{{job="{job}"}}') for job in ("anomaly_detection", "status_refresh")}
    daemon.wait(lambda: all(daemon.metric(f'job_runs_total{{job="{job}"}}') > runs[job] + 2 for job in runs))
    daemon.wait_sampled(3)
    daemon.wait(lambda: daemon.log().count("job hung") == 2, 15)
    hang.unlink()
    recovery = daemon.wait(daemon.healthy)
    daemon.assert_stops()
    return recovery
