"""Tests of the sampling cycle."""

from types import SimpleNamespace

import pytest

from monitor.jobs.sampling_cycle import SamplingCycleJob
from storage import Prediction, Sample, quantize_sample

pytestmark = pytest.mark.unit

SAMPLE = Sample(100.0, cpu_usage=0.5, network_receive=1000.4)
PREDICTION = Prediction(100.0, 300.0, 3, 0.7, 0.1, 0.6)


def fail(*_):
    raise MemoryError


class Parts:
    """Fakes around the job that record the order of its steps."""

    def __init__(self, forecast=None, error=None):
        self.steps = []
        self.is_due = True
        self._forecast = forecast
        self._error = error
        self.sampler = SimpleNamespace(sample=self.sample, states={}, samples_total=1, samples_missed_total=2)
        self.served = SimpleNamespace(
            advance=self.advance,
            forecast=self.predict,
            is_due_next=False,
            high_load=False,
            high_load_since=None,
            model_id=3,
        )
        self.buffer = SimpleNamespace(
            add=lambda sample: self.steps.append(("add", sample)),
            add_predictions=lambda predictions: self.steps.append(("add predictions", len(predictions))),
        )

    def sample(self):
        self.steps.append("sample")
        return SAMPLE

    def advance(self, sample):
        self.steps.append(("advance", sample.at))
        return self.is_due

    def predict(self):
        self.steps.append("predict")
        if self._error:
            raise self._error
        return self._forecast

    def wake(self, prepare):
        self.steps.append("prepare" if prepare else "wake")

    def run(self, *due):
        states = []
        job = SamplingCycleJob(self.sampler, self.served, self.buffer, self.wake, (states.append,))
        for self.is_due in due or (True,):
            job.run()
        return states


def test_cycle_samples_predicts_stores_and_publishes():
    parts = Parts(forecast=SimpleNamespace(predictions=(PREDICTION,)))
    (state,) = parts.run()
    assert parts.steps == [
        "sample",
        ("add", quantize_sample(SAMPLE)),
        ("advance", 100.0),
        "predict",
        ("add predictions", 1),
        "wake",
    ]
    assert (state.model_id, state.predictions_total, state.high_load) == (3, 1, False)
    assert (state.samples_total, state.samples_missed) == (1, 2)
    assert state.sample == quantize_sample(SAMPLE)


def test_cycle_without_model_publishes_the_sample():
    parts = Parts()
    (state,) = parts.run()
    assert parts.steps[-2:] == ["predict", "wake"]
    assert (state.forecast, state.predictions_total) == (None, 0)


def test_cycle_stores_the_sample_of_a_failed_prediction():
    parts = Parts(error=ValueError("not finite"))
    with pytest.raises(ValueError, match="not finite"):
        parts.run()
    assert parts.steps[1] == ("add", quantize_sample(SAMPLE))
    assert parts.steps[-1] == "wake"


def test_newest_forecast_stands_until_the_next_one_is_due():
    forecast = SimpleNamespace(predictions=(PREDICTION,))
    parts = Parts(forecast)
    states = parts.run(False, True, False)
    assert [state.forecast for state in states] == [None, forecast, forecast]
    assert [state.predictions_total for state in states] == [0, 1, 1]
    assert parts.steps.count("predict") == parts.steps.count(("add predictions", 1)) == 1
    assert parts.steps.count("wake") == 3


@pytest.mark.parametrize("step", ["advance", "forecast"])
def test_old_forecast_does_not_stand_after_a_failure(step):
    parts = Parts(SimpleNamespace(predictions=(PREDICTION,)))
    states = []
    job = SamplingCycleJob(parts.sampler, parts.served, parts.buffer, parts.wake, (states.append,))
    job.run()
    working = getattr(parts.served, step)
    setattr(parts.served, step, fail)
    with pytest.raises(MemoryError):
        job.run()
    setattr(parts.served, step, working)
    parts.is_due = False
    job.run()
    assert [state.forecast is None for state in states] == [False, True]


def test_writer_prepares_the_sample_of_the_next_forecast():
    parts = Parts()
    parts.served.is_due_next = True
    parts.run()
    assert parts.steps[-1] == "prepare"
