"""Spool: places, round trip, bounds and damage."""

import os
import stat
import threading

import pytest

from monitor.sampling import spool
from monitor.sampling.spool import CAPACITY, SpoolError, read_spool, spool_paths, write_spool
from storage import Sample

pytestmark = pytest.mark.unit

SAMPLES = [Sample(1.0, cpu_usage=0.5, disk_read=7.0), Sample(2.0, pressure_io=0.25)]


def test_spool_returns_the_samples_that_were_written(tmp_path):
    path = tmp_path / "x.db.spool"
    assert read_spool(path) == []
    assert write_spool([path], SAMPLES) == path
    assert read_spool(path) == SAMPLES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_spool_keeps_the_samples_of_earlier_stops_up_to_the_capacity(tmp_path):
    path = tmp_path / "x.spool"
    write_spool([path], SAMPLES)
    write_spool([path], [Sample(3.0)])
    assert [sample.at for sample in read_spool(path)] == [1.0, 2.0, 3.0]
    write_spool([path], [Sample(float(at)) for at in range(10, 10 + CAPACITY)])
    assert len(read_spool(path)) == CAPACITY
    assert read_spool(path)[0].at == 10.0


def test_spool_is_written_to_the_first_place_that_can_be_written(tmp_path):
    other = tmp_path / "y.spool"
    assert write_spool([tmp_path / "missing" / "x.spool", other], SAMPLES) == other
    assert write_spool([tmp_path / "missing" / "x.spool"], SAMPLES) is None


def test_places_are_next_to_the_database_and_in_the_directories_of_the_service(tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "x.db")
    environ = {"RUNTIME_DIRECTORY": "/run/monitor:/run/other", "STATE_DIRECTORY": "/var/lib/monitor"}
    first, next_to_link, second, third = spool_paths(tmp_path / "link.db", environ)
    assert (first, next_to_link) == (tmp_path / "x.db.spool", tmp_path / "link.db.spool")
    assert (str(second.parent), str(third.parent), second.name) == ("/run/monitor", "/var/lib/monitor", third.name)
    assert spool_paths(tmp_path / "y.db", environ)[1] != second


def test_spool_replaces_planted_links_and_fifos_without_opening_them(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "x.spool"
    link.symlink_to(victim)
    fifo = tmp_path / "y.spool"
    os.mkfifo(fifo)
    for path in (link, fifo):
        assert write_spool([path], SAMPLES) == path
        assert read_spool(path) == SAMPLES
    assert victim.read_text() == "precious"


def test_spool_is_written_to_the_next_place_if_a_file_system_does_not_respond(tmp_path, monkeypatch):
    thaw = threading.Event()
    frozen = tmp_path / "frozen.spool"
    replace = spool.open_replacement

    def open_replacement(path, mode):
        if path == frozen:
            thaw.wait()
        return replace(path, mode)

    monkeypatch.setattr(spool, "open_replacement", open_replacement)
    other = tmp_path / "other.spool"
    try:
        assert write_spool([frozen], SAMPLES, patience=0.01) is None
        assert write_spool([frozen, other], SAMPLES, patience=0.5) == other
    finally:
        thaw.set()
    assert read_spool(other) == SAMPLES


@pytest.mark.parametrize("position", [0, 70, -1])
def test_damaged_spool_is_refused_and_replaced_by_the_next_one(tmp_path, position):
    path = tmp_path / "x.spool"
    write_spool([path], SAMPLES)
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(SpoolError):
        read_spool(path)
    write_spool([path], [Sample(3.0)])
    assert read_spool(path) == [Sample(3.0)]


def test_link_in_place_of_the_spool_is_not_followed(tmp_path):
    write_spool([tmp_path / "target"], SAMPLES)
    (tmp_path / "x.spool").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic"):
        read_spool(tmp_path / "x.spool")
