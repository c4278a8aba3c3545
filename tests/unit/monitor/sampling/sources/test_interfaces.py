"""Selection of network interfaces by how they are stacked."""

import pytest

from monitor.sampling.sources import procfs
from monitor.sampling.sources.device_cache import REFRESH_AFTER
from monitor.sampling.sources.interfaces import counted_interfaces
from monitor.sampling.sources.network import Network

pytestmark = pytest.mark.unit

NAMES = ("bond0", "br0", "enP1", "eth0", "eth0.7", "eth1", "lo", "tunl0")


@pytest.fixture
def sysfs_net(monkeypatch, tmp_path):
    monkeypatch.setattr(procfs, "SYSFS", tmp_path)
    return tmp_path / "class" / "net"


def add_interface(sysfs_net, name, *, entries=(), speed=None, lower=(), master=None):
    """Create an interface in sysfs, linked to those below and above it as the kernel does."""
    interface = sysfs_net / name
    interface.mkdir(parents=True)
    for entry in entries:
        (interface / entry).mkdir()
    if speed is not None:
        (interface / "speed").write_text(f"{speed}\n")
    for below in lower:
        (interface / f"lower_{below}").symlink_to(f"../{below}")
    if master:
        (interface / "master").symlink_to(f"../{master}")
    return interface


def test_counted_interfaces_exclude_virtual_interfaces_next_to_a_physical_interface(sysfs_net):
    add_interface(sysfs_net, "eth0", entries=["device"])
    add_interface(sysfs_net, "tunl0")
    assert counted_interfaces(NAMES, ()).keys() == set(NAMES) - {"lo", "tunl0"}


def test_counted_interfaces_exclude_virtual_interfaces_if_the_physical_interface_is_excluded(sysfs_net):
    add_interface(sysfs_net, "eth0", entries=["device"])
    add_interface(sysfs_net, "tunl0")
    assert counted_interfaces(["eth0", "tunl0"], ["eth*"]) == {}


def test_counted_interfaces_include_the_virtual_interface_of_a_container(sysfs_net):
    add_interface(sysfs_net, "eth0", speed=10_000)
    assert counted_interfaces(["lo", "eth0"], ()) == {"eth0": 1.25e9}


def test_counted_interfaces_depend_on_names_without_sysfs(sysfs_net):
    assert counted_interfaces(["lo", "eth0", "docker0", "veth1", "br-1a", "virbr0"], ()) == {"eth0": None}


def test_counted_interfaces_include_a_bond_instead_of_its_members(sysfs_net):
    add_interface(sysfs_net, "eth0", entries=["device", "bonding_slave"], master="bond0")
    add_interface(sysfs_net, "eth1", entries=["device", "bonding_slave"], master="bond0")
    add_interface(sysfs_net, "bond0", entries=["bonding"], lower=["eth0", "eth1"], speed=2000)
    assert counted_interfaces(["eth0", "eth1", "bond0"], ()) == {"bond0": 2.5e8}


def test_counted_interfaces_include_the_ports_of_a_bridge_instead_of_it(sysfs_net):
    add_interface(sysfs_net, "eth0", entries=["device"], master="br0")
    add_interface(sysfs_net, "br0", entries=["bridge"], lower=["eth0"])
    assert counted_interfaces(["eth0", "br0"], ()) == {"eth0": None}


def test_counted_interfaces_include_a_paravirtual_device_instead_of_its_physical_device(sysfs_net):
    add_interface(sysfs_net, "enP1", entries=["device"], master="eth0")
    add_interface(sysfs_net, "eth0", entries=["device"], lower=["enP1"])
    assert counted_interfaces(["enP1", "eth0"], ()) == {"eth0": None}


@pytest.mark.parametrize("entries", [[], ["device"]])
def test_counted_interfaces_include_a_device_instead_of_the_vlan_on_it(sysfs_net, entries):
    add_interface(sysfs_net, "eth0", entries=["device"])
    add_interface(sysfs_net, "eth0.7", entries=entries, lower=["eth0"])
    assert counted_interfaces(["eth0", "eth0.7"], ()) == {"eth0": None}


@pytest.mark.parametrize("speed", ["-1", "", "fast", "0", "65535", "4294967295", None])
def test_link_speed_is_missing_if_the_kernel_reports_none(sysfs_net, speed):
    add_interface(sysfs_net, "eth0", speed=speed)
    assert counted_interfaces(["eth0"], ()) == {"eth0": None}


def test_counted_interfaces_exclude_further_addresses_of_an_interface(sysfs_net):
    assert counted_interfaces(["eth0", "eth0:1"], ()) == {"eth0": None}


def test_link_speed_is_updated_after_the_link_came_up(sysfs_net, proc):
    (proc / "net").mkdir()
    interface = add_interface(sysfs_net, "eth0", speed=-1)
    source = Network()

    def usage(at):
        row = f"  eth0: {625_000_000 * at} 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
        (proc / "net" / "dev").write_text(f"one\ntwo\n{row}")
        return source.compute(source.read(), 10.0 * at, 25.0)["network_usage"]

    usages = [usage(at) for at in range(2)]
    (interface / "speed").write_text("1000\n")
    usages += [usage(at) for at in range(2, REFRESH_AFTER + 1)]
    assert usages == [None] * REFRESH_AFTER + [0.5]
