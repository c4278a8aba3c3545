"""Repositories of one database and rules for its records."""

import pytest

from monitor.stores import open_stores
from storage import Sample, StorageError

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
