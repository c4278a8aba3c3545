"""Sampler on generated contents of /proc: whatever it contains, a value is possible or missing."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.sampling.metric_catalog import HOST_METRICS
from monitor.sampling.sampler import Sampler
from monitor.sampling.sources import SOURCES, make_sources, procfs

pytestmark = pytest.mark.unit

INTERVAL = 5.0

COUNT = st.one_of(
    st.integers(0, 10**7),
    st.integers(0, 2**70),
    st.sampled_from([0, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 4096]),
).map(str)

CELL = st.one_of(COUNT, COUNT, COUNT, COUNT, st.sampled_from(["-1", "nan", "inf", "1e400", "x", "\xff", "-", "0.5"]))


def cells(least, most):
    return st.lists(CELL, min_size=least, max_size=most).map(" ".join)


def row(prefix, least, most):
    return cells(least, most).map(lambda text: f"{prefix}{text}\n")


NET_HEADER = "Inter-|   Receive  |  Transmit\n face |bytes packets errs drop|bytes packets errs drop\n"
MEMORY_KEYS = ("MemTotal", "MemFree", "MemAvailable", "SwapTotal", "SwapFree")


def pressure():
    return CELL.map(lambda total: f"some avg10=0.00 avg60=0.00 avg300=0.00 total={total}\nfull total=0\n")


FILES = {
    "stat": st.tuples(row("cpu  ", 8, 10), row("cpu0 ", 8, 10)).map("".join),
    "meminfo": st.tuples(*(CELL.map(lambda c, k=key: f"{k}:  {c} kB\n") for key in MEMORY_KEYS)).map("".join),
    "net/dev": st.tuples(row("eth0: ", 16, 16), row("eth1: ", 15, 17)).map(lambda rows: NET_HEADER + "".join(rows)),
    "diskstats": st.tuples(row("8 0 sda ", 11, 17), row("8 16 sdb ", 10, 12)).map("".join),
    "loadavg": cells(5, 5).map(lambda text: f"{text}\n"),
    "pressure/cpu": pressure(),
    "pressure/memory": pressure(),
    "pressure/io": pressure(),
}


@st.composite
def contents(draw, file):
    """Return the bytes of a file: well-formed, truncated, or not of this kind at all."""
    text = draw(file).encode("latin-1")
    kind = draw(st.sampled_from(["whole", "whole", "whole", "truncated", "garbage"]))
    if kind == "truncated":
        return text[: draw(st.integers(0, len(text)))]
    return draw(st.binary(max_size=60)) if kind == "garbage" else text


PROC = st.fixed_dictionaries({name: contents(file) for name, file in FILES.items()})


@pytest.fixture(scope="module")
def proc(tmp_path_factory):
    """A directory in place of /proc, on a host with two disks and two interfaces of 1 Gbit/s."""
    root = tmp_path_factory.mktemp("host")
    for name in ("sda", "sdb"):
        (root / "sys" / "block" / name).mkdir(parents=True)
    for name in ("eth0", "eth1"):
        interface = root / "sys" / "class" / "net" / name
        interface.mkdir(parents=True)
        (interface / "speed").write_text("1000\n")
    for name in FILES:
        (root / "proc" / name).parent.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(procfs, "PROCFS", str(root / "proc"))
        patch.setattr(procfs, "SYSFS", root / "sys")
        yield root / "proc"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=st.lists(PROC, min_size=2, max_size=4))
def test_sampler_values_are_possible_or_missing_for_any_proc(proc, readings):
    now = [1000.0]
    sampler = Sampler(make_sources(tuple(SOURCES)), INTERVAL, clock=lambda: 1.8e9, monotonic=lambda: now[0])
    for files in readings:
        for name, content in files.items():
            (proc / name).write_bytes(content)
        sample = sampler.sample()
        now[0] += INTERVAL
        for metric in HOST_METRICS:
            value = getattr(sample, metric.field)
            assert value is None or (math.isfinite(value) and 0 <= value <= metric.upper_bound)
        for name, state in sampler.states.items():
            has_value = any(getattr(sample, m.field) is not None for m in HOST_METRICS if m.source == name)
            assert state.success or not has_value
