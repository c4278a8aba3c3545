"""A database with the samples of a synthetic host."""

import pytest

from model.anomaly.backtest import WARM_UP
from monitor.stores import open_stores

from .anomaly_host import END, TRAINING_END, overloaded_samples


@pytest.fixture(scope="session")
def anomaly_database(tmp_path_factory):
    """Return the bytes of a database with the samples of the warm-up and the test period."""
    path = tmp_path_factory.mktemp("anomaly") / "monitor.db"
    with open_stores(f"sqlite:///{path}") as opened:
        opened.samples.insert_missing(overloaded_samples(TRAINING_END - WARM_UP, END))
    return path.read_bytes()


@pytest.fixture
def anomaly_stores(anomaly_database, tmp_path):
    (tmp_path / "monitor.db").write_bytes(anomaly_database)
    with open_stores(f"sqlite:///{tmp_path}/monitor.db") as opened:
        yield opened
