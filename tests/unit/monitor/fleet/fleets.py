"""Source and forecaster of a small fleet, and states made with them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from monitor.config.loader import Config, read_config
from monitor.errors import SourceError
from monitor.fleet.interfaces import FleetForecast, FleetSample, HostHistory
from monitor.fleet.process.cycle import CycleSettings, FleetCycle
from monitor.fleet.process.members import Members
from monitor.fleet.process.state import CycleState, FleetState, current_table
from monitor.fleet.process.warning_tracker import WarningTracker
from monitor.fleet.source.statistics import SourceStatistics
from storage.fleet.records import FleetChange

STEP = 60.0
START = 1_700_000_040.0
"""Time of the first step, a multiple of STEP."""

COLUMNS = ("cpu_usage", "memory_usage")
HORIZONS = (300.0, 900.0)


class FakeSource:
    """Source whose hosts have the load of `loads`; without a load there is no sample."""

    columns = COLUMNS
    step = STEP

    def __init__(self, loads):
        self.loads = dict(loads)
        self.error = None
        self.history_error = None
        self.read_times = []
        self.history_calls = []
        self.statistics = SourceStatistics()

    def read(self, time):
        self.read_times.append(time)
        self.statistics = replace(self.statistics, queries={"cpu_usage": len(self.read_times)})
        if self.error:
            raise SourceError(self.error)
        return sample(time, self.loads)

    def history(self, hosts, start, end):
        self.history_calls.append((tuple(hosts), start, end))
        if self.history_error:
            raise SourceError(self.history_error)
        times = np.arange(start, end, STEP)[-20:]
        for host in hosts:
            if host in self.loads:
                yield HostHistory(host, times, np.tile([self.loads[host], 0.5], (len(times), 1)))


class FakeForecaster:
    """Forecaster whose probability is the load; load from 0.9 on is high, from 0.5 on a warning."""

    def __init__(self):
        self.samples = []
        self.histories = {}

    @property
    def hosts(self):
        return tuple(sorted(self.histories))

    def add(self, histories):
        self.histories.update({history.host: len(history.times) for history in histories})

    def remove(self, hosts):
        for host in hosts:
            del self.histories[host]

    def advance(self, sample):
        if self.samples and sample.time <= self.samples[-1].time:
            # As the real one: a step has one sample.
            sample = FleetSample(sample.time, (), np.empty((0, 2)))
        self.samples.append(sample)
        load = sample.values[:, 0]
        high = load >= 0.9
        probabilities = np.stack([load, np.minimum(1.0, load + 0.05)], axis=1)
        shape = probabilities.shape
        return FleetForecast(
            time=sample.time,
            hosts=sample.hosts,
            horizons=HORIZONS,
            probabilities=probabilities,
            base_rates=np.full(shape, 0.1),
            thresholds=np.full(shape, 0.5),
            warnings=(probabilities >= 0.5) & ~high[:, None],
            high=high,
            models=("pretrained",) * len(load),
        )


@dataclass
class Clock:
    now: float = START + 5

    def __call__(self):
        return self.now


@dataclass
class Fleet:
    """Cycle over a fake source; `step` moves the clock by one step and runs the cycle as the job does."""

    source: FakeSource
    forecaster: FakeForecaster | None = None
    clock: Clock = field(default_factory=Clock)
    active: tuple = ()
    expire_after: float = 600.0

    def __post_init__(self):
        self.changes: list[FleetChange] = []
        self.state = CycleState()
        tracker = WarningTracker(self.active)
        self.members = Members(self.new_forecaster, COLUMNS, STEP, tracker, self.changes.append)
        settings = CycleSettings(STEP, 5.0, self.expire_after)
        self.cycle = FleetCycle(self.source, self.members, settings, self.publish, self.clock, self.clock)

    def new_forecaster(self):
        self.forecaster = FakeForecaster()
        return self.forecaster

    def publish(self, state):
        self.state = state

    def run(self):
        self.cycle.run()

    def step(self, count=1):
        for _ in range(count):
            self.clock.now += STEP
            self.run()

    @property
    def warnings(self):
        return [warning for change in self.changes for warning in change.warnings]

    def fleet_state(self, **values):
        config = values.pop("config", None) or fleet_config()
        return FleetState(
            version="1.0",
            python="3.11",
            config=config,
            started_at=START,
            table=current_table(self.members.table, config, self.state, self.clock()),
            warnings=self.members.active_warnings,
            cycle=self.state,
            **values,
        )


def sample(time, loads):
    hosts = tuple(sorted(loads))
    return FleetSample(time, hosts, np.array([[loads[host], 0.5] for host in hosts]).reshape(len(hosts), 2))


def fleet_config(**sections) -> Config:
    source = {"kind": "prometheus", "url": "http://127.0.0.1:9090", **sections.pop("source", {})}
    config, problems = read_config({"source": source, **sections})
    assert problems == []
    return config


def running_fleet(loads=None, **options):
    default = {"web1:9100": 0.2, "web2:9100": 0.6, "db1:9100": 0.95}
    fleet = Fleet(FakeSource(default if loads is None else loads), **options)
    fleet.run()
    return fleet
