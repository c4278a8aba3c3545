"""Network source."""

import math

import pytest

from monitor.sampling.sources import procfs
from monitor.sampling.sources.network import LINK_SPEED_FACTOR, Network

from .conftest import SECONDS, values_of

pytestmark = pytest.mark.unit

HEADER = "Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo |bytes packets errs drop\n"


def test_network_rates_are_sums_over_counted_interfaces(host):
    # In 5 s: eth0 500,000 received, 250,000 transmitted, 10 drops; eth1 10,000, 5,000; bond0 200,000, 100,000.
    # 100,000 bytes/s received by eth0 are 0.0008 of 1 Gbit/s; the speed of eth1 is unknown.
    expected = {
        "network_receive": 142_000.0,
        "network_transmit": 71_000.0,
        "network_errors": 2.0,
        "network_usage": 0.0008,
    }
    assert host.values(Network()) == pytest.approx(expected, abs=1e-12)


def test_network_leaves_out_configured_patterns(host):
    values = host.values(Network(["eth0", "bond*"]))
    assert (values["network_receive"], values["network_usage"]) == (2000.0, None)


@pytest.mark.parametrize("missing_in", [0, 1], ids=["appears", "disappears"])
def test_network_leaves_out_interface_missing_in_one_reading(host, missing_in):
    source = Network()
    readings = host.readings(source)
    del readings[missing_in]["eth0"]
    assert values_of(source, *readings)["network_receive"] == (10_000 + 200_000) / 5


def test_network_values_are_missing_without_interfaces():
    assert values_of(Network(), {}, {}) == dict.fromkeys(Network.fields)


def test_network_values_are_missing_while_one_interface_is_unknown(host):
    source = Network()
    before, after = host.readings(source)
    values = values_of(source, before, {**after, "eth1": (0, 0, 0)})
    assert values == dict.fromkeys(Network.fields)


@pytest.fixture
def link(monkeypatch, tmp_path, proc):
    """An interface eth0 of 1 Gbit/s."""
    monkeypatch.setattr(procfs, "SYSFS", tmp_path / "sys")
    interface = tmp_path / "sys" / "class" / "net" / "eth0"
    interface.mkdir(parents=True)
    (interface / "speed").write_text("1000\n")
    (proc / "net").mkdir()
    (proc / "net" / "dev").write_text(HEADER + row("eth0"))
    return interface


def row(name, receive=0, transmit=0):
    return f"{name}: {receive} 1 0 0 0 0 0 0 {transmit} 1 0 0 0 0 0 0\n"


@pytest.mark.parametrize(
    ("ratio", "usage"), [(0.5, 0.5), (1.0, 1.0), (1.3, 1.0), (4.0, None)], ids=["half", "full", "delayed", "nominal"]
)
def test_network_usage_is_missing_where_the_link_speed_is_only_nominal(link, ratio, usage):
    source = Network()
    source.read()
    values = values_of(source, {"eth0": (0, 0, 0)}, {"eth0": (round(ratio * 125e6 * SECONDS), 0, 0)})
    assert values["network_receive"] == ratio * 125e6
    assert values["network_usage"] == usage


def test_network_rates_far_over_the_link_speed_are_missing_once(link):
    source = Network()
    source.read()
    jump = round(2 * LINK_SPEED_FACTOR * 125e6 * SECONDS)
    counts = [0, jump, jump + 5_000]
    values = [source.compute({"eth0": (count, 0, 0)}, SECONDS * i, math.inf) for i, count in enumerate(counts)]
    assert [value["network_receive"] for value in values] == [None, None, 1000.0]


def test_network_reads_the_speed_again_after_an_implausible_rate(link, proc):
    source = Network()
    source.read()
    (link / "speed").write_text("100000\n")
    values_of(source, {"eth0": (0, 0, 0)}, {"eth0": (10**10, 0, 0)})
    source.read()
    later = source.compute({"eth0": (2 * 10**10, 0, 0)}, 2 * SECONDS, math.inf)
    assert later["network_receive"] == 2e9
    assert later["network_usage"] == pytest.approx(0.16)


@pytest.mark.parametrize("bad", ["eth1: 1 2 3\n", "eth1: x 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n", "\xff\xff\n", "eth1: 5"])
def test_network_reads_intact_rows_next_to_a_malformed_one(link, proc, bad):
    (proc / "net" / "dev").write_bytes((HEADER + row("eth0", 7, 9) + bad).encode("latin-1"))
    assert Network().read() == {"eth0": (7, 9, 0)}


def test_network_read_fails_if_all_rows_are_malformed(link, proc):
    (proc / "net" / "dev").write_text(HEADER + "eth0 1 2 3\n")
    with pytest.raises(ValueError, match="net/dev"):
        Network().read()
