"""Tests of the input of the checks."""

import pytest

from monitor.config.loader import Config
from monitor.config.schema import StorageSection
from monitor.doctor.context import NO_DAEMON, read_context
from monitor.stores import open_stores
from storage import Sample
from storage.errors import StorageErrorKind

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


def context_of(url):
    return read_context(Config(storage=StorageSection(url=url)), NOW)


def test_context_of_database_without_file_has_the_error():
    context = context_of("sqlite://")
    assert (context.database, context.directory, context.files, context.records) == (None, None, None, None)
    assert context.records_error.kind is StorageErrorKind.NO_FILE


def test_context_of_missing_database_has_the_error(tmp_path):
    context = context_of(f"sqlite:///{tmp_path}/monitor.db")
    assert (context.directory, context.daemon) == (tmp_path, NO_DAEMON)
    assert context.records_error.kind is StorageErrorKind.MISSING
    assert list(tmp_path.iterdir()) == []


def test_context_has_the_records_and_counts_samples_in_the_future(tmp_path):
    url = f"sqlite:///{tmp_path}/monitor.db"
    with open_stores(url) as stores:
        stores.samples.append_many([Sample(NOW - 10), Sample(NOW - 5), Sample(NOW + 3600)])
    context = context_of(url)
    assert context.records_error is None
    assert context.records.overview.last_sample.at == NOW - 5
    assert (context.records.recent.tolist(), context.records.future) == ([NOW - 10, NOW - 5], 1)
