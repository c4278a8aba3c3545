"""Storage of the daemon: opening later, restored samples, spool, and errors that only a person can remove."""

from pathlib import Path

import pytest

from monitor.daemon.storage import DaemonStorage, raise_fatal
from monitor.errors import MonitorError
from monitor.sampling.spool import read_spool
from monitor.sampling.write_buffer import WriteBuffer
from storage import Sample, StorageError, StorageErrorKind, open_database
from storage.recovery.events import OpeningRefusedError

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _no_service_directories(monkeypatch):
    for name in ("RUNTIME_DIRECTORY", "STATE_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def open_storage(tmp_path):
    opened = []

    def start(name="x.db"):
        opened.append(Opened(f"sqlite:///{tmp_path / name}"))
        return opened[-1]

    yield start
    for storage in opened:
        storage.close()


class Opened(DaemonStorage):
    """Storage of the daemon with a write buffer."""

    def __init__(self, url):
        super().__init__(url)
        self.buffer = WriteBuffer(self.stores.cycles, lambda: self.ensure_open(self.buffer.recently_stored))

    def state(self):
        return self.buffer.state()


def store(storage, *times):
    for at in times:
        storage.buffer.add(Sample(at, cpu_usage=0.5))
    storage.buffer.retry_at = 0.0
    storage.buffer.write()


def times(storage):
    return storage.stores.samples.between(0, 1e9, ())[:, 0].tolist()


def test_storage_keeps_samples_until_the_database_can_be_opened(open_storage, tmp_path):
    (tmp_path / "x.db").mkdir()
    storage = open_storage()
    store(storage, 1.0, 2.0)
    assert (storage.state().problem, storage.state().samples_buffered) == (StorageErrorKind.NOT_A_FILE, 2)
    assert storage.open_generation() is None
    raise_fatal(storage.buffer.error)
    (tmp_path / "x.db").rmdir()
    store(storage, 3.0)
    assert (times(storage), storage.open_generation()) == ([1.0, 2.0, 3.0], 1)


def test_storage_writes_recent_samples_again_after_the_loss_of_the_database(open_storage, tmp_path, caplog):
    storage = open_storage()
    caplog.set_level("INFO", logger="monitor.daemon.storage")
    store(storage, 1.0, 2.0)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{tmp_path}/x.db{suffix}").unlink()
    store(storage, 3.0)
    assert times(storage) == [1.0, 2.0, 3.0]
    assert "samples restored" in [record.message for record in caplog.records]


def test_storage_counts_databases_moved_aside(open_storage, tmp_path):
    storage = open_storage()
    store(storage, 1.0)
    storage.close()
    content = (tmp_path / "x.db").read_bytes()
    (tmp_path / "x.db").write_bytes(content[:5000])
    again = open_storage()
    store(again, 2.0)
    assert (times(again), again.quarantines) == ([2.0], 1)


def test_storage_spools_samples_that_cannot_be_stored_at_the_end(open_storage, tmp_path):
    (tmp_path / "x.db").mkdir()
    storage = open_storage()
    store(storage, 1.0, 2.0)
    storage.spool(storage.buffer.waiting())
    storage.close()
    spool = tmp_path / "x.db.spool"
    assert [sample.at for sample in read_spool(spool)] == [1.0, 2.0]
    (tmp_path / "x.db").rmdir()
    again = open_storage()
    store(again, 3.0)
    assert times(again) == [1.0, 2.0, 3.0]
    assert not spool.exists()


def test_storage_moves_a_damaged_spool_aside(open_storage, tmp_path):
    (tmp_path / "x.db.spool").write_bytes(b"garbage")
    storage = open_storage()
    store(storage, 1.0)
    assert (times(storage), storage.quarantines) == ([1.0], 1)
    (moved,) = tmp_path.glob("x.db.spool.damaged-*")
    assert moved.read_bytes() == b"garbage"


def test_storage_refuses_a_second_daemon(open_storage, tmp_path):
    store(open_storage(), 1.0)
    (tmp_path / "link.db").symlink_to(tmp_path / "x.db")
    second = open_storage("link.db")
    second.buffer.probe()
    assert isinstance(second.buffer.error, OpeningRefusedError)
    with pytest.raises(MonitorError):
        raise_fatal(second.buffer.error)


def test_storage_refuses_the_database_of_another_program(open_storage, tmp_path):
    with open_database(f"sqlite:///{tmp_path}/x.db", migrate=False) as database, database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE other (x)")
    storage = open_storage()
    storage.buffer.probe()
    with pytest.raises(StorageError) as caught:
        raise_fatal(storage.buffer.error)
    assert caught.value.kind is StorageErrorKind.FOREIGN_DATABASE


def test_storage_waits_if_another_database_replaces_the_open_one(open_storage, tmp_path):
    storage = open_storage()
    store(storage, 1.0)
    with open_database(f"sqlite:///{tmp_path}/y.db", migrate=False) as database, database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE other (x)")
    (tmp_path / "y.db").replace(tmp_path / "x.db")
    store(storage, 2.0)
    assert storage.buffer.error.kind is StorageErrorKind.FOREIGN_DATABASE
    assert not isinstance(storage.buffer.error, OpeningRefusedError)
