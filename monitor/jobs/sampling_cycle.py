"""Sampling cycle: sample, store, predict, store, publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from monitor.inference.served_model import ServedModel
from monitor.sampling.sampler import Sampler
from monitor.sampling.write_buffer import PredictionBuffer, SampleBuffer
from monitor.state import LiveState
from storage import quantize_sample


class SamplingCycleJob:
    """Periodic job that takes one sample and predicts from it for every horizon. Not thread-safe."""

    def __init__(
        self,
        sampler: Sampler,
        samples: SampleBuffer,
        served: ServedModel,
        predictions: PredictionBuffer,
        observers: Sequence[Callable[[LiveState], None]],
        interval: float,
    ) -> None:
        """Initialize the job.

        Args:
            sampler: takes the samples.
            samples: write buffer of the samples.
            served: online engine with the serving model.
            predictions: write buffer of the predictions.
            observers: called in order with the live state after each cycle.
            interval: seconds between two cycles.
        """
        self._sampler = sampler
        self._samples = samples
        self._served = served
        self._predictions = predictions
        self._observers = observers
        self._interval = interval
        self._predictions_total = 0

    def run(self) -> None:
        """Take a sample, predict from it, store both and notify the observers.

        1. Take a sample, rounded to the precision of the database.
        2. Store it, or keep it in memory while the database cannot be written. A duplicate timestamp is replaced by
           the next free timestamp.
        3. Update the features of the serving model and predict.
        4. Store the predictions.
        5. Pass the live state to the observers.
        """
        sample = quantize_sample(self._sampler.sample())
        stored_at = self._samples.append(sample)
        if stored_at != sample.at:
            sample = replace(sample, at=stored_at)
        self._served.advance(sample)
        forecast = self._served.forecast()
        if forecast is not None:
            self._predictions_total += 1
            self._predictions.append(forecast.predictions, self._interval)
        live = LiveState(
            sample=sample,
            sources=self._sampler.states,
            high_load=self._served.high_load,
            forecast=forecast,
            model_id=self._served.model_id,
            samples_total=self._sampler.samples_total,
            samples_missed=self._sampler.samples_missed_total,
            predictions_total=self._predictions_total,
            samples_buffered=self._samples.waiting,
            write_failures=self._samples.failures + self._predictions.failures,
            high_load_since=self._served.high_load_since,
        )
        for observer in self._observers:
            observer(live)
