"""Sampling cycle: sample, predict, hand both to the storage writer, publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.inference.forecast import Forecast
from monitor.inference.served_model import ServedModel
from monitor.sampling.sampler import Sampler
from monitor.sampling.write_buffer import WriteBuffer
from monitor.state import LiveState
from storage import quantize_sample


class SamplingCycleJob:
    """Periodic job that takes one sample and, when due, predicts from it for every horizon. Not thread-safe.

    It never waits for the database: the storage writer has a thread of its own.
    """

    def __init__(
        self,
        sampler: Sampler,
        served: ServedModel,
        buffer: WriteBuffer,
        wake_writer: Callable[[bool], None],
        observers: Sequence[Callable[[LiveState], None]],
    ) -> None:
        """Initialize the job.

        Args:
            sampler: takes the samples.
            served: online engine with the serving model.
            buffer: buffer from which the storage writer stores samples and predictions.
            wake_writer: lets the storage writer store what is waiting, and, if the argument is True, prepare the next
                sample.
            observers: called in order with the live state after each cycle.
        """
        self._sampler = sampler
        self._served = served
        self._buffer = buffer
        self._wake_writer = wake_writer
        self._observers = observers
        self._forecast: Forecast | None = None
        self._predictions_total = 0

    def use(self, served: ServedModel) -> None:
        """Predict with another serving model from the next cycle on. Safe to call from any thread."""
        self._served = served

    def run(self) -> None:
        """Take a sample, predict from it, let both be stored and notify the observers.

        1. Take a sample, rounded to the precision of the database, and add it to the write buffer.
        2. Pass the sample to the serving model. If a forecast is due, predict, and add the predictions to the buffer.
        3. Wake the writer, also after an error in step 2.
        4. Pass the live state to the observers.
        """
        served = self._served
        sample = quantize_sample(self._sampler.sample())
        self._buffer.add(sample)
        try:
            if served.advance(sample):
                self._forecast = served.forecast()
                if self._forecast is not None:
                    self._predictions_total += 1
                    self._buffer.add_predictions(self._forecast.predictions)
        except Exception:
            # The newest forecast must not stand for longer than planned.
            self._forecast = None
            raise
        finally:
            self._wake_writer(served.is_due_next)
        live = LiveState(
            sample=sample,
            sources=self._sampler.states,
            high_load=served.high_load,
            forecast=self._forecast,
            model_id=served.model_id,
            samples_total=self._sampler.samples_total,
            samples_missed=self._sampler.samples_missed_total,
            predictions_total=self._predictions_total,
            high_load_since=served.high_load_since,
        )
        for observer in self._observers:
            observer(live)
