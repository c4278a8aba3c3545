"""Capacity recorder: rows of memory and file systems."""

import pytest

from monitor.config.capacity.section import CapacitySection
from monitor.jobs.capacity.recorder import CapacityRecorder, mounted_filesystems
from monitor.sampling.sources.mounts import FilesystemUsage
from monitor.stores import open_stores
from storage import Sample

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
ROOT = FilesystemUsage("/", "ext4:1", 60.0, 100.0, 0.1)


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        yield opened


def read(stores, now=NOW, filesystems=lambda exclude, types: [ROOT]):
    return list(CapacityRecorder(stores, CapacitySection(), filesystems).read(now))


def test_recorder_reads_file_systems_and_the_peak_of_the_memory(stores):
    stores.samples.append_many(
        [Sample(NOW - 10 + i, memory_usage=value) for i, value in enumerate((0.5, 0.9, 0.6))]
        + [Sample(NOW - 400, memory_usage=0.99)]
    )
    (memory, memory_row), (root, root_row) = read(stores)
    assert (memory.kind, memory_row.used, memory_row.peak, memory_row.size) == ("memory", 0.6, 0.9, 1.0)
    assert (root.name, root_row.used, root_row.size, root_row.inode_usage) == ("/", 60.0, 100.0, 0.1)


def test_recorder_without_memory_samples_reads_file_systems_only(stores):
    assert [resource.name for resource, _ in read(stores)] == ["/"]


def test_recorder_stores_earlier_memory_use_before_its_first_row(stores):
    stores.samples.append_many([Sample(NOW - 60 * i, memory_usage=0.5 + 0.001 * i) for i in range(120)])
    (memory, _), _ = read(stores)
    rows = stores.capacity.usage(memory.id, 0.0, NOW)
    assert len(rows) == 23
    assert (rows[:, 2] >= rows[:, 1]).all()
    assert rows[-1, 0] < NOW


def test_recorder_passes_the_configured_mounts(stores):
    seen = []
    section = CapacitySection(exclude=("/mnt/*",), types=("tmpfs",))
    list(CapacityRecorder(stores, section, lambda *given: seen.append(given) or []).read(NOW))
    assert seen == [(("/mnt/*",), ("tmpfs",))]


def test_mounted_filesystems_of_this_host_have_a_size():
    assert all(0 <= usage.used <= usage.size for usage in mounted_filesystems((), ()))
