"""Access to procfs."""

import pytest

from monitor.errors import ConfigError
from monitor.sampling.sources import procfs
from monitor.sampling.sources.procfs import memory_figure, parse_rows, read_proc, read_whole_proc

pytestmark = pytest.mark.unit


def test_read_proc_returns_the_current_content(proc):
    for text in ("0.5 0.1 0.1\n", "12.25 1.0 0.4\n"):
        (proc / "loadavg").write_text(text)
        assert read_proc("loadavg") == text


def test_read_proc_fails_for_missing_file(proc):
    with pytest.raises(FileNotFoundError):
        read_proc("absent")


def test_read_whole_proc_returns_the_current_content(proc):
    (proc / "net").mkdir()
    for text in ("a\n", "b\n" * 100_000, "c\n"):
        (proc / "net" / "dev").write_text(text)
        assert read_whole_proc("net/dev") == text


def test_read_whole_proc_reads_large_tables_up_to_a_line(proc):
    rows = "".join(f"cpu{i} 1 2 3 4 5 6 7 8 9 10\n" for i in range(5000))
    (proc / "stat").write_text(f"cpu  1 2 3 4\n{rows}intr 1\n{'x' * 10**6}")
    text = read_whole_proc("stat", until="intr")
    assert text.count("\ncpu") == 5000
    assert len(text) < len(rows) + 2**17


def test_read_whole_proc_replaces_bytes_that_are_not_ascii(proc):
    (proc / "stat").write_bytes(b"\xff 1\ncpu  1\n")
    assert read_whole_proc("stat").endswith("cpu  1\n")


def parse_pair(line):
    name, number = line.split()
    return name, int(number)


def test_parse_rows_leaves_out_malformed_and_truncated_rows():
    assert parse_rows(["a 1\n", "b x\n", "c 3\n", "d 4"], parse_pair) == {"a": 1, "c": 3}


def test_parse_rows_of_an_empty_table_is_empty():
    assert parse_rows([], parse_pair) == {}


def test_parse_rows_fails_if_all_rows_are_malformed():
    with pytest.raises(ValueError, match="invalid"):
        parse_rows(["b x\n"], parse_pair)


MEMINFO = "HighMemFree:  9 kB\nMemFree:     5 kB\nBad: 5 MB\nCut: 7"


def test_memory_figure_is_that_of_the_whole_line():
    assert memory_figure(MEMINFO, "MemFree") == 5


@pytest.mark.parametrize("key", ["Free", "Bad", "Cut", "Absent"])
def test_memory_figure_fails_for_missing_or_malformed_line(key):
    with pytest.raises(ValueError, match=key):
        memory_figure(MEMINFO, key)


def test_check_trees_accepts_unset_variables(monkeypatch, proc):
    monkeypatch.delenv(procfs.PROCFS_VARIABLE, raising=False)
    monkeypatch.delenv(procfs.SYSFS_VARIABLE, raising=False)
    procfs.check_trees()


def test_check_trees_names_each_variable_whose_directory_is_no_tree(monkeypatch, proc):
    monkeypatch.setattr(procfs, "SYSFS", proc / "sys")
    for variable in (procfs.PROCFS_VARIABLE, procfs.SYSFS_VARIABLE):
        monkeypatch.setenv(variable, str(proc))
    with pytest.raises(ConfigError) as raised:
        procfs.check_trees()
    assert [problem.partition(":")[0] for problem in raised.value.problems] == ["MONITOR_PROCFS", "MONITOR_SYSFS"]
    (proc / procfs.NETWORK_TABLE).parent.mkdir(parents=True)
    (proc / procfs.NETWORK_TABLE).touch()
    (proc / "sys/class/net").mkdir(parents=True)
    procfs.check_trees()
