"""One turn of the live road: sample, store, predict, store, publish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from monitor.inference.served_model import ServedModel
from monitor.sampling.sampler import Sampler
from monitor.sampling.write_buffer import PredictionBuffer, SampleBuffer
from monitor.state import Live
from storage import quantize_sample


class Tick:
    """Called once an interval, by one thread."""

    def __init__(
        self,
        sampler: Sampler,
        samples: SampleBuffer,
        serving: ServedModel,
        predictions: PredictionBuffer,
        publish: Callable[[Live], None],
        interval: float,
    ) -> None:
        self._sampler, self._samples, self._serving = sampler, samples, serving
        self._predictions, self._publish, self._interval = predictions, publish, interval
        self._predicted = 0

    def __call__(self) -> None:
        sample = quantize_sample(self._sampler.sample())
        at = self._samples.append(sample)
        if at != sample.at:
            sample = replace(sample, at=at)
        self._serving.advance(sample)
        forecast = self._serving.forecast()
        if forecast is not None:
            self._predicted += 1
            self._predictions.append(forecast.predictions, self._interval)
        self._publish(
            Live(
                sample=sample,
                sources=self._sampler.states,
                high_load=self._serving.high_load,
                forecast=forecast,
                model_id=self._serving.model_id,
                samples_total=self._sampler.samples_total,
                samples_missed=self._sampler.samples_missed_total,
                predictions_total=self._predicted,
                buffered=self._samples.waiting,
                write_failures=self._samples.failures + self._predictions.failures,
            )
        )
