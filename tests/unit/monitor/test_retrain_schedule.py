"""A retraining starts when it is due and there is enough to learn from, and one that dies is written down."""

import subprocess
import sys
from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.config.schema import TrainingConfig
from monitor.jobs.retraining import RetrainSchedule
from monitor.training.records import CompletedRun
from monitor.training.schedule import next_retrain
from storage import TrainingRun

from .conftest import TRAINING_REPORT

pytestmark = pytest.mark.unit

TRAINING = TrainingConfig(interval=3600.0, min_history=1200.0, timeout=5.0)


def run(started_at, outcome="promoted"):
    return TrainingRun(started_at, started_at + 1, outcome, "", None, {})


def completed(started_at, report=None):
    return CompletedRun(started_at, started_at + 1, "promoted", "", None, report)


def fitted(length):
    return replace(TRAINING_REPORT, from_=0.0, to=length)


class Runs:
    def __init__(self, *runs):
        self.all = list(runs)

    def last(self):
        return self.all[-1] if self.all else None

    def append(self, run):
        self.all.append(run)


class Clock:
    now = 10_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def make(monkeypatch):
    made = []

    def build(runs, *, enough=True, serving=True, code="pass"):
        real = subprocess.Popen
        monkeypatch.setattr(
            "monitor.jobs.retraining.subprocess.Popen",
            lambda command, **how: made.append(real([sys.executable, "-c", code], **how)) or made[-1],
        )
        clock = Clock()
        schedule = RetrainSchedule(
            Config(training=TRAINING),
            runs,
            lambda now: enough,
            lambda: "well" if serving else "none",
            clock=clock,
            monotonic=clock,
        )
        return schedule, clock, made

    yield build
    for child in made:
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
def test_it_starts_when_due_and_with_enough_history(make, last, enough, serving, starts):
    schedule, _, made = make(Runs(*[last] if last else []), enough=enough, serving=serving)
    schedule()
    assert len(made) == starts


def test_one_at_a_time(make):
    schedule, _, made = make(Runs(), code="import time; time.sleep(60)")
    schedule()
    schedule()
    assert len(made) == 1


def test_a_trainer_that_dies_without_a_word_is_written_down_with_its_last_line(make):
    runs = Runs()
    schedule, _, made = make(runs, code="import sys, os; print('out of memory', file=sys.stderr); os.abort()")
    schedule()
    made[0].wait()
    schedule()
    assert runs.last().outcome == "failed"
    assert "SIGABRT" in runs.last().reason
    assert "out of memory" in runs.last().reason


def test_a_trainer_that_wrote_its_run_is_not_written_down_twice(make):
    runs = Runs()
    schedule, clock, made = make(runs)
    schedule()
    made[0].wait()
    runs.append(run(clock.now, "refused"))
    schedule()
    assert len(runs.all) == 1


def test_a_trainer_beyond_its_deadline_is_ended(make):
    runs = Runs()
    schedule, clock, made = make(runs, code="import time; time.sleep(60)")
    schedule()
    clock.now += 16
    schedule()
    assert made[0].returncode < 0
    assert runs.last().outcome == "failed"


def test_closing_ends_a_running_trainer(make):
    schedule, _, made = make(Runs(), code="import time; time.sleep(60)")
    schedule()
    schedule.close()
    assert made[0].poll() is not None


def test_the_next_one_is_told():
    assert next_retrain(TRAINING, None, "none") is None
    assert next_retrain(TRAINING, completed(50.0), "well") == 3650.0
    assert next_retrain(TRAINING, completed(50.0), "none") == 170.0
    assert next_retrain(replace(TRAINING, interval=7 * 86400.0), completed(50.0), "behind") == 86450.0


def test_a_young_model_is_renewed_when_its_history_has_grown_by_a_quarter():
    young, old = (completed(50.0, fitted(length)) for length in (8000.0, 40_000.0))
    assert next_retrain(TRAINING, young, "well") == 2050.0
    youngest = completed(50.0, fitted(100.0))
    assert next_retrain(TRAINING, youngest, "well") == 1850.0
    assert next_retrain(TRAINING, old, "well") == 3650.0
