"""Capacity job on synthetic disks: predictions, outcomes, warnings and scores."""

import pytest

from model.units import DAY, HOUR
from monitor.config.loader import Config
from monitor.jobs.capacity import CapacityJob
from monitor.sampling.sources.mounts import FilesystemUsage
from monitor.stores import open_stores
from storage import Sample

pytestmark = pytest.mark.unit

START = 1_799_971_200.0
SIZE = 1e12


class Host:
    """Host with one disk whose use follows a function of time, without memory samples."""

    def __init__(self, stores, use):
        self.stores = stores
        self.use = use
        self.now = START
        self.states = []
        self.restart()

    def restart(self):
        self.job = CapacityJob(self.stores, Config(), self.states.append, lambda: self.now + 2.5, self._filesystems)

    def _filesystems(self, exclude, types):
        used = self.use(self.now - START)
        return [] if used is None else [FilesystemUsage("/data", "ext4:1", used * SIZE, SIZE, 0.5)]

    def run(self, seconds):
        end = self.now + seconds
        while self.now < end:
            self.job.run()
            self.now += 300.0
        return self.states[-1]

    def warnings(self):
        return [bool(state.resources and state.resources[0].row.warning) for state in self.states]


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        yield opened


def test_job_predicts_after_two_hours_of_history(stores):
    host = Host(stores, lambda t: 0.5)
    state = host.run(HOUR)
    (resource,) = state.resources
    assert resource.row.probability is None
    assert (resource.usage, resource.is_full, resource.needed) == (0.5, False, 2 * HOUR)
    state = host.run(2 * HOUR)
    assert state.resources[0].row.probability < 0.05
    assert state.scores == ()


def test_job_warns_of_a_filling_disk_and_scores_its_predictions(stores):
    host = Host(stores, lambda t: min(0.99, 0.6 + 0.3 * t / DAY))
    host.run(0.6 * DAY)
    assert host.warnings()[-1]
    state = host.run(0.15 * DAY)
    assert state.resources[0].row.full_seconds == pytest.approx(0.42 * DAY, rel=0.15)
    state = host.run(1.6 * DAY)
    assert state.resources[0].is_full
    assert state.resources[0].row.probability == 1
    assert not host.warnings()[-1]
    scores = {score.predictor: score for score in state.scores}
    assert scores["model"].events > 50
    assert scores["model"].scored == scores["predict_linear"].scored
    assert scores["model"].brier < 0.2
    assert scores["model"].skill > 0
    assert scores["base_rate"].skill == 0


def test_job_continues_a_warning_after_a_restart(stores):
    host = Host(stores, lambda t: min(0.94, 0.6 + 0.4 * t / DAY))
    host.run(0.7 * DAY)
    assert host.warnings()[-1]
    host.restart()
    host.run(300.0)
    assert host.warnings()[-1]


def test_job_leaves_out_an_unmounted_disk_and_continues_when_it_is_back(stores):
    host = Host(stores, lambda t: None if 0.3 * DAY <= t < 0.35 * DAY else 0.5)
    assert len(host.run(0.3 * DAY).resources) == 1
    assert host.run(HOUR).resources == ()
    state = host.run(0.2 * DAY)
    (resource,) = state.resources
    assert resource.row.probability < 0.05
    assert resource.history > 0.5 * DAY


def test_job_of_a_resized_disk_keeps_its_history(stores):
    host = Host(stores, lambda t: 0.5)
    host.run(0.2 * DAY)
    host._filesystems = lambda *_: [FilesystemUsage("/data", "ext4:1", 0.5 * SIZE, 2 * SIZE, 0.5)]
    host.restart()
    (resource,) = host.run(300.0).resources
    assert resource.usage == 0.25
    assert resource.history > 0.19 * DAY


def test_job_predicts_memory_from_the_samples(stores):
    host = Host(stores, lambda t: None)
    stores.samples.append_many([Sample(START - 7200 + 60 * i, memory_usage=0.2 + 0.7 * i / 120) for i in range(121)])
    state = host.run(300.0)
    (memory,) = state.resources
    assert memory.kind == "memory"
    assert memory.row.probability > 0.5
    assert memory.row.full_seconds is None


def test_job_survives_a_clock_that_was_set_back(stores):
    host = Host(stores, lambda t: 0.5)
    host.run(0.2 * DAY)
    host.now -= 2 * HOUR
    assert host.run(900.0).resources[0].row.at == host.now - 300.0
