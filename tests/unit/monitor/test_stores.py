"""Repositories of one database and rules for its records."""

from dataclasses import replace

import pytest

from monitor.stores import delete_replayed, open_stores
from storage import AnomalyRecord, Prediction, Sample, StorageError

pytestmark = pytest.mark.unit


def test_stores_share_one_database(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    with open_stores(url) as stores:
        stores.samples.append(Sample(1.0, cpu_usage=0.5))
    with open_stores(url, create=False) as stores:
        assert stores.samples.last().at == 1.0


def test_open_stores_can_refuse_to_create_a_database(tmp_path):
    with pytest.raises(StorageError), open_stores(f"sqlite:///{tmp_path}/none.db", create=False):
        pass


def test_delete_replayed_removes_whole_hours_and_no_live_predictions():
    with open_stores("sqlite://") as stores:
        predictions = [Prediction(at, 300.0, 1, 0.5, 0.1, 0.9) for at in (3599.0, 3600.0, 7199.0, 7200.0)]
        stores.predictions.append(predictions)
        stores.replayed_predictions.append(predictions)
        assert delete_replayed(stores, 4000.0, 5000.0) == 2
        assert [prediction.at for prediction in stores.replayed_predictions.between(0.0, 9e9)] == [3599.0, 7200.0]
        assert stores.predictions.count() == 4


def test_delete_replayed_removes_anomalies_that_overlap_the_period():
    event = AnomalyRecord(100.0, 200.0, 0.9, 150.0, "joint", {"cpu_usage": 1.0}, 1, replayed=True)
    with open_stores("sqlite://") as stores:
        stores.anomalies.replace_replayed(0.0, 900.0, [event, replace(event, started_at=300.0, ended_at=400.0)])
        delete_replayed(stores, 180.0, 220.0)
        assert [anomaly.started_at for anomaly in stores.anomalies.since(0.0)] == [300.0]
