"""Tests of the checks of the sampling sources."""

from types import SimpleNamespace

import psutil
import pytest

from monitor.doctor.checks.sources import assess_rates, check_memory_limit, unreadable_source
from monitor.documents.doctor import CheckId, CheckStatus
from monitor.sampling.sources import make_sources, procfs

pytestmark = pytest.mark.unit


def assess(name, rates):
    (source,) = make_sources((name,))
    return assess_rates(source, {**dict.fromkeys(source.fields), **rates})


@pytest.mark.parametrize(
    ("source", "rates"),
    [("swap", {}), ("network", {"network_receive": 1.0, "network_transmit": 2.0, "network_errors": 0.0})],
)
def test_rates_may_lack_fields_that_many_hosts_do_not_have(source, rates):
    result = assess(source, rates)
    assert (result.check, result.subject, result.status) == (CheckId.SOURCE, source, CheckStatus.OK)


def test_rates_with_implausible_value_are_a_warning():
    result = assess("memory", {"memory_usage": 1.5})
    assert result.status is CheckStatus.WARNING
    assert "memory_usage 1.5" in result.message


def test_rates_with_unexplained_gap_are_a_warning():
    result = assess("cpu", {"cpu_usage": 0.5, "cpu_iowait": 0.0})
    assert result.status is CheckStatus.WARNING
    assert "cpu_steal" in result.message


@pytest.mark.parametrize(("usage", "status"), [(0.999, CheckStatus.WARNING), (0.9, CheckStatus.OK)])
def test_rates_warn_of_full_memory(usage, status):
    assert assess("memory", {"memory_usage": usage}).status is status


def test_unreadable_pressure_is_a_warning_with_kernel_parameter():
    result = unreadable_source("pressure", FileNotFoundError(2, "No such file or directory"))
    assert result.status is CheckStatus.WARNING
    assert "psi=1" in result.fix


def test_unreadable_source_is_a_failure():
    result = unreadable_source("cpu", ValueError("no line"))
    assert (result.status, result.subject) == (CheckStatus.FAILED, "cpu")
    assert "ValueError: no line" in result.message


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
@pytest.mark.parametrize(
    ("limit", "status"),
    [
        (str(2**26), CheckStatus.WARNING),
        ("max", CheckStatus.OK),
        ("9223372036854771712", CheckStatus.OK),
    ],
)
def test_memory_limit_warns_of_limit_below_total(tmp_path, monkeypatch, name, limit, status):
    monkeypatch.setattr(procfs, "SYSFS", tmp_path)
    file = tmp_path / "fs" / "cgroup" / name
    file.parent.mkdir(parents=True)
    file.write_text(f"{limit}\n")
    (result,) = check_memory_limit(None)
    assert (result.check, result.status) == (CheckId.MEMORY_LIMIT, status)


def test_memory_limit_mentions_lxcfs(tmp_path, monkeypatch):
    partition = SimpleNamespace(mountpoint="/proc/meminfo", fstype="fuse.lxcfs")
    monkeypatch.setattr(procfs, "SYSFS", tmp_path)
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [partition])
    (result,) = check_memory_limit(None)
    assert (result.status, "lxcfs" in result.message) == (CheckStatus.OK, True)
