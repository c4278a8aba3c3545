"""Network source."""

import pytest

from monitor.sampling.sources.network import Network

from .conftest import SECONDS

pytestmark = pytest.mark.unit


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
    assert source.compute(*readings, SECONDS)["network_receive"] == (10_000 + 200_000) / 5


def test_network_values_are_missing_without_interfaces():
    assert Network().compute({}, {}, SECONDS) == dict.fromkeys(Network.fields)
