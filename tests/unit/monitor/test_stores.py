"""Repositories of one database and rules for its records."""

import pytest

from monitor.stores import is_warning, open_stores
from storage import Prediction, Sample, StorageError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("probability", "threshold", "warning"), [(0.6, 0.6, True), (0.59, 0.6, False), (1.0, 1.0, False)]
)
def test_is_warning_from_the_threshold_on_and_never_at_one(probability, threshold, warning):
    assert is_warning(Prediction(0.0, 300.0, 1, probability, 0.1, threshold)) is warning


def test_stores_share_one_database(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    with open_stores(url) as stores:
        stores.samples.append(Sample(1.0, cpu_usage=0.5))
    with open_stores(url, create=False) as stores:
        assert stores.samples.last().at == 1.0


def test_open_stores_can_refuse_to_create_a_database(tmp_path):
    with pytest.raises(StorageError), open_stores(f"sqlite:///{tmp_path}/none.db", create=False):
        pass
