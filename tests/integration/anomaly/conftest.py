"""A database with the first detector of a host without high load."""

import pytest

from monitor.stores import open_stores
from monitor.training.bootstrap_model import ensure_bootstrap_model
from monitor.training.retrain import Request, retrain
from tests.integration.conftest import create_database

from .hosts import CONFIG, DAY, TRAINING_END, training_samples


@pytest.fixture(autouse=True)
def _short_warm_up(monkeypatch):
    """Feed a day of rows instead of three to each new job, which takes most of the time of a test."""
    monkeypatch.setattr("monitor.jobs.detector_session.WARM_UP", DAY)


@pytest.fixture(scope="session")
def trained_database(tmp_path_factory):
    """Return the bytes of a database after its first training."""
    path = tmp_path_factory.mktemp("anomaly") / "x.db"
    with open_stores(create_database(path)) as opened:
        opened.samples.insert_missing(training_samples())
        ensure_bootstrap_model(opened, CONFIG, TRAINING_END)
        result = retrain(opened, CONFIG, Request(), lambda _: None, lambda: TRAINING_END)
        assert result.outcome == "skipped"
        assert opened.registry.detector(opened.registry.active_id()) is not None
    return path.read_bytes()


@pytest.fixture
def database_path(trained_database, tmp_path):
    """Return the path of a copy of that database."""
    path = tmp_path / "x.db"
    path.write_bytes(trained_database)
    return path


@pytest.fixture
def stores(database_path):
    with open_stores(f"sqlite:///{database_path}") as opened:
        yield opened


@pytest.fixture
def empty_stores(tmp_path):
    with open_stores(create_database(tmp_path / "y.db")) as opened:
        yield opened
