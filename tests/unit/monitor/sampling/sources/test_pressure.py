"""Pressure source."""

import pytest

from monitor.sampling.sources.pressure import Pressure

from .conftest import values_of

pytestmark = pytest.mark.unit


def test_pressure_is_the_ratio_of_waiting_time(host):
    expected = {"pressure_cpu": 0.1, "pressure_memory": 0.0, "pressure_io": 0.25}
    assert host.values(Pressure()) == pytest.approx(expected, abs=1e-12)


def test_pressure_read_fails_without_kernel_support(proc):
    with pytest.raises(FileNotFoundError):
        Pressure().read()


def test_pressure_read_fails_for_malformed_file(proc):
    (proc / "pressure").mkdir()
    (proc / "pressure" / "cpu").write_text("")
    with pytest.raises(ValueError, match="pressure"):
        Pressure().read()


@pytest.mark.parametrize(
    "garbage", ["", "some total=", "some avg10=0.00 total=12", "full total=5\n", "some total=-5\n"]
)
def test_pressure_is_missing_for_malformed_file_next_to_others(proc, garbage):
    (proc / "pressure").mkdir()
    for resource in ("cpu", "io"):
        (proc / "pressure" / resource).write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=100\n")
    (proc / "pressure" / "memory").write_text(garbage)
    assert Pressure().read() == {"cpu": (100,), "io": (100,)}


def test_pressure_is_missing_for_time_far_over_that_elapsed():
    source = Pressure()
    values = [source.compute({"cpu": (total,)}, 5.0 * i, 12.5) for i, total in enumerate((0, 10**9, 10**6))]
    assert [value["pressure_cpu"] for value in values] == [None, None, 0.1]


def test_pressure_is_missing_for_untracked_resources(proc):
    (proc / "pressure").mkdir()
    (proc / "pressure" / "cpu").write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=100\n")
    source = Pressure()
    values = values_of(source, {"cpu": (0,)}, source.read(), 1.0)
    assert values == {"pressure_cpu": 1e-4, "pressure_memory": None, "pressure_io": None}
