"""sadf history: rows from the JSON output of sadf (sysstat)."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from monitor.sampling.history_sources.device_names import counted_interface_names, physical_disk_names
from monitor.sampling.history_sources.json_reader import JsonReader
from monitor.sampling.sources.disk import SECTOR
from monitor.sampling.trace_format.errors import LineError
from monitor.sampling.trace_format.options import TraceOptions
from monitor.sampling.trace_format.statistics import TraceStatistics
from monitor.sampling.trace_format.timestamps import TimestampParser, check_not_future
from monitor.sampling.trace_reader import TraceRows
from monitor.sampling.value_bounds import validated_value
from storage import SAMPLE_FIELDS

KEYS = re.compile(r'(?<!\\)"(nodename|number-of-cpus|statistics)"\s*:')

KIB = 1024
"""Bytes in a kB of sysstat."""

PRESSURE_KEYS = {"pressure_cpu": "psi-cpu", "pressure_memory": "psi-mem", "pressure_io": "psi-io"}


def read_sadf(
    reader: JsonReader, options: TraceOptions, host: str, network_exclude: Sequence[str]
) -> tuple[str, TraceRows]:
    """Return the name of a host and its rows, from one or several outputs of `sadf -j`.

    Args:
        reader: JSON text.
        options: time zone of local times, and the current time.
        host: name of the host to read; empty if the text has only one.
        network_exclude: shell patterns of network interfaces to exclude.

    Raises:
        MonitorError: the text is damaged, has no such host, or several hosts of which none is selected.
    """
    hosts: dict[str, _HostRows] = {}
    name = ""
    cpus: Any = None
    while key := reader.next_key(KEYS):
        if key == "nodename":
            name = str(reader.value())
            cpus = None
        elif key == "number-of-cpus":
            cpus = reader.value()
        else:
            rows = hosts.setdefault(name, _HostRows(options, network_exclude))
            for statistics in reader.elements():
                if host in ("", name):
                    try:
                        rows.add(statistics, cpus)
                    except LineError as error:
                        raise reader.refusal(f"host {name}: {error}") from error
    selected = _selected_host(reader, hosts, host)
    return selected, hosts[selected].rows()


def _selected_host(reader: JsonReader, hosts: Mapping[str, _HostRows], host: str) -> str:
    names = sorted(hosts)
    if not names:
        raise reader.refusal("no statistics of a host: write it with `sadf -j FILE -- -A`")
    if host and host not in hosts:
        raise reader.refusal(f"no host {host!r}, only {', '.join(names)}")
    if not host and len(names) > 1:
        raise reader.refusal(f"has {len(names)} hosts: {', '.join(names)}; select one with --host")
    return host or names[0]


class _HostRows:
    """Rows of one host."""

    def __init__(self, options: TraceOptions, network_exclude: Sequence[str]) -> None:
        self._now = options.now
        self._parse_time = TimestampParser(options.zone)
        self._network_exclude = network_exclude
        self._table = array("d")
        self._counts = TraceStatistics()
        self._newest = -math.inf

    def add(self, statistics: Any, cpus: Any) -> None:
        """Add the row of one element of `statistics`; without a timestamp, it marks the start of a file.

        Raises:
            LineError: the timestamp is invalid, or local time without a time zone.
        """
        if not isinstance(statistics, Mapping) or not isinstance(statistics.get("timestamp"), Mapping):
            return
        at = self._time(statistics["timestamp"])
        values = []
        for name, value in _values(statistics, cpus, self._network_exclude).items():
            checked = validated_value(name, value)
            if value is not None and checked is None:
                self._counts.add_bad_cell(0, name, f"{value:g}")
            values.append(math.nan if checked is None else checked)
        if all(map(math.isnan, values)):
            self._counts.add_row_without_value()
        self._counts.rows += 1
        self._counts.unordered += at < self._newest
        self._newest = max(self._newest, at)
        self._table.extend((at, *values))

    def rows(self) -> TraceRows:
        """Return all rows."""
        numbers = np.frombuffer(self._table, dtype=np.float64).reshape(-1, 1 + len(SAMPLE_FIELDS)).copy()
        usage = numbers[:, 1 + SAMPLE_FIELDS.index("network_usage")]
        if not (usage > 0).any():
            # sysstat writes 0 for an interface of unknown speed.
            usage[:] = math.nan
        self._counts.repeated = len(numbers) - len(np.unique(numbers[:, 0]))
        return TraceRows(columns=SAMPLE_FIELDS, times=numbers[:, 0], values=numbers[:, 1:], counts=self._counts)

    def _time(self, stamp: Mapping[str, Any]) -> float:
        text = f"{stamp.get('date')} {stamp.get('time')}{'Z' if stamp.get('utc') else ''}"
        at = self._parse_time(text)
        if self._now is not None:
            check_not_future(at, text, self._now)
        return at


def _values(statistics: Mapping[str, Any], cpus: Any, network_exclude: Sequence[str]) -> dict[str, float | None]:
    """Return the value of each field of a sample; None where the sections lack it."""
    cpu = _named(statistics.get("cpu-load") or statistics.get("cpu-load-all"), "cpu").get("all", {})
    memory = _section(statistics, "memory")
    idle = _number(cpu, "idle")
    iowait = _number(cpu, "iowait")
    load = _number(_section(statistics, "queue"), "ldavg-1")
    psi = _section(statistics, "psi")
    values = dict.fromkeys(SAMPLE_FIELDS)
    values |= {
        "cpu_usage": None if idle is None or iowait is None else 1 - (idle + iowait) / 100,
        "cpu_iowait": _ratio(cpu, "iowait"),
        "cpu_steal": _ratio(cpu, "steal"),
        "load_per_cpu": load / cpus if load is not None and isinstance(cpus, int) and cpus > 0 else None,
        "memory_usage": _memory_usage(memory),
        "swap_usage": _swap_usage(memory),
        **_network_values(_section(statistics, "network"), network_exclude),
        **_disk_values(_named(statistics.get("disk"), "disk-device")),
        **{name: _ratio(_section(psi, key), "some_avg") for name, key in PRESSURE_KEYS.items()},
    }
    return values


def _memory_usage(memory: Mapping[str, Any]) -> float | None:
    """Return 1 - available / total; the total follows from the used memory in kB and in percent."""
    available = _number(memory, "avail")
    used = _number(memory, "memused")
    percent = _number(memory, "memused-percent")
    if available is None or not used or not percent:
        return None
    return 1 - available / (used * 100 / percent)


def _swap_usage(memory: Mapping[str, Any]) -> float | None:
    free = _number(memory, "swpfree")
    used = _number(memory, "swpused")
    if free is None or used is None or not free + used:
        return None
    return used / (free + used)


def _network_values(network: Mapping[str, Any], exclude: Sequence[str]) -> dict[str, float | None]:
    traffic = _named(network.get("net-dev"), "iface")
    errors = _named(network.get("net-edev"), "iface")
    counted = counted_interface_names(traffic, exclude)
    rows = [traffic[name] for name in counted]
    error_rows = [errors[name] for name in counted_interface_names(errors, exclude)]
    error_sums = [_sum(error_rows, key) for key in ("rxerr", "txerr", "rxdrop", "txdrop")]
    received = _sum(rows, "rxkB")
    transmitted = _sum(rows, "txkB")
    return {
        "network_receive": None if received is None else received * KIB,
        "network_transmit": None if transmitted is None else transmitted * KIB,
        "network_errors": sum(value for value in error_sums if value is not None) if None not in error_sums else None,
        "network_usage": _largest_ratio(rows, "ifutil-percent"),
    }


def _disk_values(disks: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    rows = [disks[name] for name in physical_disk_names(disks)]
    return {
        "disk_read": _bytes(rows, "rd_sec", "rkB"),
        "disk_write": _bytes(rows, "wr_sec", "wkB"),
        "disk_busy": _largest_ratio(rows, "util-percent"),
    }


def _bytes(rows: Sequence[Mapping[str, Any]], sectors: str, kilobytes: str) -> float | None:
    """Return a sum in bytes; sectors have more digits than kilobytes, which only newer releases write."""
    total = _sum(rows, sectors)
    if total is not None:
        return total * SECTOR
    total = _sum(rows, kilobytes)
    return None if total is None else total * KIB


def _sum(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Return the sum of a key over rows; None if there are no rows, or one lacks the key."""
    numbers = [_number(row, key) for row in rows]
    known = [number for number in numbers if number is not None]
    return sum(known) if known and len(known) == len(numbers) else None


def _largest_ratio(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
    ratios = [ratio for row in rows if (ratio := _ratio(row, key)) is not None]
    # Counter and clock are not read at the same time: the busy time may exceed 100 %.
    return min(max(ratios), 1.0) if ratios else None


def _ratio(row: Mapping[str, Any], key: str) -> float | None:
    percent = _number(row, key)
    return None if percent is None else percent / 100


def _number(row: Mapping[str, Any], key: str) -> float | None:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _section(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = table.get(key)
    return section if isinstance(section, Mapping) else {}


def _named(rows: Any, key: str) -> dict[str, Mapping[str, Any]]:
    """Return the rows of a list by the text of one key."""
    entries = rows if isinstance(rows, list) else ()
    return {str(row[key]): row for row in entries if isinstance(row, Mapping) and key in row}
