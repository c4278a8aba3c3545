"""Fleet forecaster: forecasts of all hosts, computed in blocks of hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from model.array_types import Integers
from model.forecast.ensemble import Ensemble
from model.forecast.fleet.forecast_block import BlockForecast, ForecastBlock
from model.forecast.fleet.own_models import OwnModel
from model.forecast.online.fallback import decide_fallbacks
from model.forecast.online.recalibration import RECALIBRATION_INTERVAL
from model.forecast.predictor import Predictor
from monitor.fleet.forecasting.host_slots import HostSlots
from monitor.fleet.interfaces import FleetForecast, FleetSample, HostHistory

BLOCK_HOSTS = 256
"""Number of hosts per block: a row of a block fits into the processor's cache."""

PRETRAINED, POOLED, OWN = "pretrained", "pooled", "own"
"""Names of the serving models, see `FleetForecast.models`."""


class ArrayForecaster:
    """Online forecasts of all hosts of a fleet, in less than 100 KB of memory per host at one sample per minute.

    One shared model serves all hosts without an own model. Each host is recalibrated every RECALIBRATION_INTERVAL
    seconds; the hosts are spread over the steps of this interval.
    """

    def __init__(self, predictor: Predictor) -> None:
        """Create a forecaster without hosts, which the pretrained model serves.

        Args:
            predictor: the pretrained model for the task, without inputs (see `bootstrap_predictor`).
        """
        self._predictor = predictor
        self._step = predictor.spec.step
        self._shared = PRETRAINED
        self._slots = HostSlots(BLOCK_HOSTS)
        self._blocks: list[ForecastBlock] = []
        self._time = -np.inf

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that the forecaster follows, sorted."""
        return self._slots.hosts

    def add(self, histories: Sequence[HostHistory]) -> None:
        """Follow hosts, with the newest part of their histories (may be empty); one history per host.

        Parts of a history that are newer than the newest sample are left out: the next sample follows them.
        """
        if self._time == -np.inf:
            newest = max((float(history.times[-1]) for history in histories if len(history.times)), default=-np.inf)
            self._open_slot(newest)
        for history in histories:
            block, position = self._start(history.host)
            known = int(np.searchsorted(history.times, self._time, side="right"))
            block.add(position, history.times[:known], history.values[:known])

    def remove(self, hosts: Sequence[str]) -> None:
        """Forget hosts."""
        places = [place for host in hosts if (place := self._slots.remove(host)) is not None]
        for number, positions in _by_block(places).items():
            self._blocks[number].clear(positions)

    def advance(self, sample: FleetSample) -> FleetForecast:
        """Append one sample and return the predictions of its hosts; hosts that are not followed are added first.

        A sample that is not newer than the one before has no predictions.
        """
        for host in sample.hosts:
            if host not in self._slots:
                self._start(host)
        if sample.time <= self._time:
            return self._assemble(sample, [], {})
        places = [self._slots[host] for host in sample.hosts]
        rows = defaultdict(list)
        for row, (number, _) in enumerate(places):
            rows[number].append(row)
        self._time = sample.time
        forecasts: dict[int, tuple[Integers, BlockForecast]] = {}
        for number, block in enumerate(self._blocks):
            selected = np.array(rows[number], np.intp)
            positions = np.array([places[row][1] for row in rows[number]], np.intp)
            values = np.full((BLOCK_HOSTS, sample.values.shape[1]), np.nan)
            values[positions] = sample.values[selected]
            present = np.zeros(BLOCK_HOSTS, bool)
            present[positions] = True
            forecast = block.advance(sample.time, values, present)
            # The rows of the sample in the order of the positions of the block.
            forecasts[number] = selected[np.argsort(positions)], forecast
            self._recalibrate(block, forecast.hosts)
        return self._assemble(sample, places, forecasts)

    def serve_pooled(self, ensemble: Ensemble) -> None:
        """Let the networks of a pooled model serve all hosts without an own model.

        Args:
            ensemble: the pooled model, adapted to the spec and the horizons of the pretrained model.
        """
        self._predictor = replace(self._predictor, ensemble=ensemble)
        self._shared = POOLED
        for block in self._blocks:
            block.serve(self._predictor)

    def serve_own(self, models: Mapping[str, OwnModel | None]) -> None:
        """Let own models serve hosts; None returns a host to the shared model. Unknown hosts are ignored."""
        by_block: dict[int, dict[int, OwnModel | None]] = defaultdict(dict)
        for host, model in models.items():
            if host in self._slots:
                number, position = self._slots[host]
                by_block[number][position] = model
        for number, own in by_block.items():
            self._blocks[number].set_own(own)

    def _start(self, host: str) -> tuple[ForecastBlock, int]:
        """Start to follow a host; return its block and its position."""
        self.remove([host])
        number, position = self._slots.add(host)
        if number == len(self._blocks):
            self._blocks.append(ForecastBlock(self._predictor, BLOCK_HOSTS))
            if self._time > -np.inf:
                self._blocks[number].open_slot(self._time)
        return self._blocks[number], position

    def _open_slot(self, time: float) -> None:
        self._time = time
        if time > -np.inf:
            for block in self._blocks:
                block.open_slot(time)

    def _recalibrate(self, block: ForecastBlock, hosts: Integers) -> None:
        """Decide on the fallbacks of the hosts (n,) of a block whose turn it is at the newest slot."""
        steps = max(1, round(RECALIBRATION_INTERVAL / self._step))
        # Consecutive positions have their turn at evenly spaced steps.
        turn = round(self._time / self._step) % steps
        due = hosts[hosts * steps // BLOCK_HOSTS % steps == turn]
        horizons = self._predictor.horizons
        decisions = {
            host: decide_fallbacks(block.outcomes.log.matured(host), horizons, self._time) for host in due.tolist()
        }
        block.outcomes.decide(decisions)

    def _assemble(
        self, sample: FleetSample, places: list[tuple[int, int]], forecasts: dict[int, tuple[Integers, BlockForecast]]
    ) -> FleetForecast:
        """Return the predictions of all blocks in the order of the sample.

        Args:
            sample: the newest sample.
            places: block and position of each predicted host.
            forecasts: rows of the sample and predictions of each block, keyed by its number.
        """
        shape = (len(places), len(self._predictor.horizons))
        probabilities = np.full(shape, np.nan)
        base_rates = np.full(shape, np.nan)
        thresholds = np.full(shape, np.nan)
        warnings = np.zeros(shape, bool)
        high = np.zeros(len(places), bool)
        own = np.zeros(len(places), bool)
        for number, (rows, forecast) in forecasts.items():
            block = self._blocks[number]
            probabilities[rows] = forecast.probabilities
            base_rates[rows] = block.outcomes.base_rates(forecast.hosts)
            thresholds[rows] = forecast.thresholds
            warnings[rows] = forecast.warnings
            high[rows] = forecast.high
            own[rows] = block.has_own_model(forecast.hosts)
        return FleetForecast(
            time=sample.time,
            hosts=sample.hosts[: len(places)],
            horizons=self._predictor.horizons,
            probabilities=probabilities,
            base_rates=base_rates,
            thresholds=thresholds,
            warnings=warnings,
            high=high,
            models=tuple(OWN if has_own else self._shared for has_own in own.tolist()),
        )


def _by_block(places: Sequence[tuple[int, int]]) -> dict[int, Integers]:
    """Return the positions (n,) of places, keyed by the number of the block."""
    positions = defaultdict(list)
    for number, position in places:
        positions[number].append(position)
    return {number: np.array(own, np.intp) for number, own in positions.items()}
