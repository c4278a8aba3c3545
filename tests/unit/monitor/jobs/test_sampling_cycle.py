"""Tests of the sampling cycle."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from monitor.jobs.sampling_cycle import SamplingCycleJob
from storage import Prediction, Sample, quantize_sample

pytestmark = pytest.mark.unit

SAMPLE = Sample(100.0, cpu_usage=0.5, network_receive=1000.4)
PREDICTION = Prediction(100.0, 300.0, 3, 0.7, 0.1, 0.6)


class Parts:
    """Fakes around the job that record the order of its steps."""

    def __init__(self, forecast=None, stored_at=None):
        self.steps = []
        self._forecast = forecast
        self._stored_at = stored_at
        self.sampler = SimpleNamespace(sample=self.sample, states={}, samples_total=1, samples_missed_total=2)
        self.samples = SimpleNamespace(append=self.store_sample, waiting=3, failures=4)
        self.served = SimpleNamespace(
            advance=self.advance, forecast=self.predict, high_load=False, high_load_since=None, model_id=3
        )
        self.predictions = SimpleNamespace(append=self.store_predictions, failures=5)

    def sample(self):
        self.steps.append("sample")
        return SAMPLE

    def store_sample(self, sample):
        self.steps.append("store sample")
        return self._stored_at or sample.at

    def advance(self, sample):
        self.steps.append(("advance", sample.at))

    def predict(self):
        self.steps.append("predict")
        return self._forecast

    def store_predictions(self, predictions, interval):
        self.steps.append(("store predictions", len(predictions), interval))

    def run(self):
        states = []
        SamplingCycleJob(self.sampler, self.samples, self.served, self.predictions, (states.append,), 5.0).run()
        return states


def test_cycle_samples_stores_predicts_stores_and_publishes():
    parts = Parts(forecast=SimpleNamespace(predictions=(PREDICTION,)))
    (state,) = parts.run()
    assert parts.steps == ["sample", "store sample", ("advance", 100.0), "predict", ("store predictions", 1, 5.0)]
    assert (state.model_id, state.predictions_total, state.high_load) == (3, 1, False)
    assert (state.samples_total, state.samples_missed) == (1, 2)
    assert (state.samples_buffered, state.write_failures) == (3, 9)


def test_cycle_without_model_publishes_the_sample():
    parts = Parts()
    (state,) = parts.run()
    assert parts.steps[-1] == "predict"
    assert (state.forecast, state.predictions_total) == (None, 0)


def test_cycle_continues_with_sample_as_stored():
    parts = Parts(stored_at=100.001)
    (state,) = parts.run()
    assert ("advance", 100.001) in parts.steps
    assert state.sample.at == 100.001
    assert state.sample == replace(quantize_sample(SAMPLE), at=100.001)
    assert state.sample.network_receive != SAMPLE.network_receive
