"""Tests of the scheduled retraining."""

import subprocess
import sys
from dataclasses import dataclass

import pytest

from monitor.config.loader import Config
from monitor.config.schema import TrainingSection
from monitor.jobs.retraining import RetrainingJob, Trainer
from monitor.training.schedule import ServingState
from storage import TrainingRun

pytestmark = pytest.mark.unit

TRAINING = TrainingSection(interval=3600.0, min_history=1200.0, timeout=5.0)


def run(started_at, outcome="promoted"):
    return TrainingRun(started_at, started_at + 1, outcome, "", None, "{}")


class Runs:
    def __init__(self, *runs):
        self.all = list(runs)

    def last(self):
        return self.all[-1] if self.all else None

    def last_trained(self):
        return next((run for run in reversed(self.all) if run.outcome in {"promoted", "refused"}), None)

    def append(self, run):
        self.all.append(run)


@dataclass
class Conditions:
    """Fixed conditions that count how often the serving predictor was read."""

    enough: bool = True
    state: ServingState = ServingState.MODEL
    reads: int = 0

    @property
    def fallback_active(self):
        return self.state == ServingState.FALLBACK

    def serving(self):
        self.reads += 1
        return self.state

    def has_enough_history(self, now):
        return self.enough


class Clock:
    now = 10_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def make(monkeypatch):
    trainers = []

    def build(runs, *, enough=True, serving=True, code="pass"):
        def start(arguments):
            assert arguments == ["retrain"]
            trainers.append(subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE))
            return trainers[-1]

        monkeypatch.setattr("monitor.jobs.retraining.start_monitor", start)
        clock = Clock()
        job = RetrainingJob(
            Config(training=TRAINING),
            runs,
            Conditions(enough, ServingState.MODEL if serving else ServingState.NO_FITTED_MODEL),
            trainer=Trainer(monotonic=clock),
            clock=clock,
        )
        return job, clock, trainers

    yield build
    for child in trainers:
        child.kill()
        child.wait()
        child.stderr.close()


@pytest.mark.parametrize(
    ("last", "enough", "serving", "starts"),
    [
        (None, True, False, True),
        (None, False, False, False),
        (run(10_000 - 3599), True, True, False),
        (run(10_000 - 3600), True, True, True),
        (run(10_000 - 119, "skipped"), True, False, False),
        (run(10_000 - 120, "skipped"), True, False, True),
        (run(10_000 + 999_999), True, True, True),
    ],
)
def test_job_starts_trainer_when_due_and_with_enough_history(make, last, enough, serving, starts):
    job, _, trainers = make(Runs(*[last] if last else []), enough=enough, serving=serving)
    job.run()
    assert len(trainers) == starts


def test_job_keeps_due_time_after_an_early_skipped_run(make):
    runs = Runs(run(10_000 - 3500), run(10_000 - 200, "skipped"))
    job, clock, trainers = make(runs)
    job.run()
    assert not trainers
    clock.now += 100
    job.run()
    assert len(trainers) == 1


def test_job_reads_nothing_before_a_known_due_date_unless_a_fallback_serves():
    conditions = Conditions(enough=False)
    job = RetrainingJob(Config(training=TRAINING), Runs(run(10_000 - 60)), conditions, clock=Clock())
    job.run()
    job.run()
    assert conditions.reads == 1
    conditions.state = ServingState.FALLBACK
    job.run()
    assert conditions.reads == 2


def test_job_starts_a_single_trainer_at_a_time(make):
    job, _, trainers = make(Runs(), code="import time; time.sleep(60)")
    job.run()
    job.run()
    assert len(trainers) == 1


def test_job_records_crashed_trainer_with_last_line_of_stderr(make):
    runs = Runs()
    job, _, trainers = make(runs, code="import sys, os; print('out of memory', file=sys.stderr); os.abort()")
    job.run()
    trainers[0].wait()
    job.run()
    assert runs.last().outcome == "failed"
    assert "SIGABRT" in runs.last().reason
    assert "out of memory" in runs.last().reason


def test_job_does_not_record_run_twice(make):
    runs = Runs()
    job, clock, trainers = make(runs)
    job.run()
    trainers[0].wait()
    runs.append(run(clock.now, "refused"))
    job.run()
    assert len(runs.all) == 1


def test_job_stops_trainer_beyond_deadline(make):
    runs = Runs()
    job, clock, trainers = make(runs, code="import time; time.sleep(60)")
    job.run()
    clock.now += 16
    job.run()
    assert trainers[0].returncode < 0
    assert runs.last().outcome == "failed"
    assert "training.timeout" in runs.last().reason


def test_close_stops_running_trainer(make):
    job, _, trainers = make(Runs(), code="import time; time.sleep(60)")
    job.run()
    job._trainer.stop()
    assert trainers[0].poll() is not None
