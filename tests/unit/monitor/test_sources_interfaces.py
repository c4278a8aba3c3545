"""One interface counts each packet, whatever is stacked on what; sysfs is asked seldom, and often enough."""

import psutil
import pytest

from monitor.sampling.sources import procfs
from monitor.sampling.sources.device_cache import REFRESH, DeviceCache
from monitor.sampling.sources.interfaces import counted
from monitor.sampling.sources.network import Network

pytestmark = pytest.mark.unit

NAMES = ("bond0", "br0", "enP1", "eth0", "eth0.7", "eth1", "lo", "tunl0")


@pytest.fixture
def net(monkeypatch, tmp_path):
    monkeypatch.setattr(procfs, "SYSFS", tmp_path)
    return tmp_path / "class" / "net"


def plug(net, name, *, entries=(), speed=None, lower=(), master=None):
    """An interface in sysfs, linked to those below and above it as the kernel does."""
    interface = net / name
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


def test_beside_a_physical_interface_no_virtual_one_counts(net):
    plug(net, "eth0", entries=["device"])
    plug(net, "tunl0")
    assert counted(NAMES, ()).keys() == set(NAMES) - {"lo", "tunl0"}


def test_a_pattern_that_leaves_out_the_physical_interface_brings_no_virtual_one_in(net):
    plug(net, "eth0", entries=["device"])
    plug(net, "tunl0")
    assert counted(["eth0", "tunl0"], ["eth*"]) == {}


def test_in_a_container_the_virtual_interface_is_all_there_is(net):
    plug(net, "eth0", speed=10_000)
    assert counted(["lo", "eth0"], ()) == {"eth0": 1.25e9}


def test_without_sysfs_names_decide(net):
    assert counted(["lo", "eth0", "docker0", "veth1", "br-1a", "virbr0"], ()) == {"eth0": None}


def test_a_bond_counts_for_its_members(net):
    plug(net, "eth0", entries=["device", "bonding_slave"], master="bond0")
    plug(net, "eth1", entries=["device", "bonding_slave"], master="bond0")
    plug(net, "bond0", entries=["bonding"], lower=["eth0", "eth1"], speed=2000)
    assert counted(["eth0", "eth1", "bond0"], ()) == {"bond0": 2.5e8}


def test_the_ports_of_a_bridge_count_for_it(net):
    plug(net, "eth0", entries=["device"], master="br0")
    plug(net, "br0", entries=["bridge"], lower=["eth0"])
    assert counted(["eth0", "br0"], ()) == {"eth0": None}


def test_a_paravirtual_device_counts_for_the_physical_one_that_it_sends_through(net):
    plug(net, "enP1", entries=["device"], master="eth0")
    plug(net, "eth0", entries=["device"], lower=["enP1"])
    assert counted(["enP1", "eth0"], ()) == {"eth0": None}


@pytest.mark.parametrize("entries", [[], ["device"]])
def test_a_device_counts_for_what_is_stacked_on_it(net, entries):
    plug(net, "eth0", entries=["device"])
    plug(net, "eth0.7", entries=entries, lower=["eth0"])
    assert counted(["eth0", "eth0.7"], ()) == {"eth0": None}


@pytest.mark.parametrize("speed", ["-1", "", "fast", "0", None])
def test_a_speed_that_is_none_is_missing(net, speed):
    plug(net, "eth0", speed=speed)
    assert counted(["eth0"], ()) == {"eth0": None}


def test_another_address_of_an_interface_is_no_interface(net):
    assert counted(["eth0", "eth0:1"], ()) == {"eth0": None}


def test_a_link_that_comes_up_after_the_start_gets_its_speed(net, monkeypatch, tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "dev").write_text("one\ntwo\n  eth0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    interface = plug(net, "eth0", speed=-1)
    source = Network()
    assert source.read()["eth0"].speed is None
    (interface / "speed").write_text("1000\n")
    speeds = [source.read()["eth0"].speed for _ in range(REFRESH)]
    assert speeds == [None] * (REFRESH - 1) + [1.25e8]


def test_facts_are_asked_for_when_the_names_change_and_else_seldom():
    asked = []
    facts = DeviceCache(lambda names: asked.append(names) or len(asked))
    answers = [facts.of(names) for names in (["a"], ["a"], ["a", "b"], ["b", "a"], ["b"])]
    assert asked == [frozenset(), {"a"}, {"a", "b"}, {"b"}]
    assert answers == [2, 2, 3, 3, 4]


def test_facts_that_could_not_be_had_are_asked_for_again():
    def ask(names):
        if names and not ready:
            raise OSError("gone")
        return names

    ready = []
    facts = DeviceCache(ask)
    with pytest.raises(OSError, match="gone"):
        facts.of(["a"])
    ready.append(True)
    assert facts.of(["a"]) == {"a"}
