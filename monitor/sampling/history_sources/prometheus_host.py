"""Prometheus host: the one host that a selector matches, its metrics, devices and scrape intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.errors import MonitorError
from monitor.sampling.history_sources.device_names import counted_interface_names, physical_disk_names
from monitor.sampling.history_sources.node_exporter import (
    ANCHORS,
    DISK_METRIC,
    INTERFACE_METRIC,
    REQUIRED_METRICS,
    series,
)
from monitor.sampling.history_sources.prometheus_api import PrometheusApi, Series, label_text

Array = npt.NDArray[np.float64]

HOST_LABEL = "instance"
"""Label that names a host."""

LISTED_HOSTS = 10
"""Largest number of hosts that an error lists."""

MAX_BUCKETS = 1000
"""Largest number of periods for which the number of scrapes is queried."""

MIN_BUCKET = 3600
"""Shortest of these periods, in seconds."""

DEFAULT_INTERVAL = 60
"""Scrape interval in seconds that is assumed if it is unknown."""

ALL_METRICS = "|".join(sorted({*ANCHORS, *(metric for metrics in REQUIRED_METRICS.values() for metric in metrics)}))


@dataclass(frozen=True)
class PrometheusHost:
    """Host whose node_exporter series a server has.

    Attributes:
        name: value of HOST_LABEL, or all labels if it is absent.
        matchers: label matchers that select the host, without braces.
        anchor: metric with one series per host.
        fields: fields whose metrics exist.
        interfaces: names of the counted network interfaces.
        disks: names of the physical disks.
        bucket: seconds of one entry of `scrapes`.
        bucket_ends: (buckets,) ends of the periods with scrapes, in seconds since the epoch.
        scrapes: (buckets,) numbers of scrapes.
    """

    name: str
    matchers: str
    anchor: str
    fields: frozenset[str]
    interfaces: frozenset[str]
    disks: frozenset[str]
    bucket: int
    bucket_ends: Array
    scrapes: Array

    def has_samples(self, start: float, end: float) -> bool:
        """Return True if a scrape may lie in a period."""
        return bool(self._touched(start, end).any())

    def scrape_interval(self, api: PrometheusApi, start: float, end: float) -> int:
        """Return the median scrape interval in seconds where a period has most scrapes.

        Raises:
            MonitorError: a query fails.
        """
        touched = np.flatnonzero(self._touched(start, end))
        if not len(touched):
            return DEFAULT_INTERVAL
        densest = touched[np.argmax(self.scrapes[touched])]
        until = float(self.bucket_ends[densest])
        # A shorter period, up to its end, has enough scrapes unless the host stopped in it.
        for seconds in (min(600, self.bucket), self.bucket):
            stored = api.samples(series(self.anchor, self.matchers), seconds, until)
            times = np.unique(np.concatenate([entry.times for entry in stored] or [np.empty(0)]))
            if len(times) > 2:
                return max(1, round(float(np.median(np.diff(times)))))
        return DEFAULT_INTERVAL

    def _touched(self, start: float, end: float) -> npt.NDArray[np.bool_]:
        return np.asarray((self.bucket_ends >= start) & (self.bucket_ends - self.bucket < end))


def label_matchers(selector: str) -> str:
    """Return the label matchers of a selector such as {instance="web1"}, without its braces.

    Raises:
        ValueError: the text has no braces around it.
    """
    text = selector.strip()
    if not text:
        return ""
    if not (text.startswith("{") and text.endswith("}")):
        raise ValueError(
            f"{selector!r} is not a list of label matchers in braces, such as " + '{instance="web1:9100"}'
        )
    return text[1:-1].strip().rstrip(",")


def find_host(
    api: PrometheusApi, selector: str, start: float, end: float, network_exclude: Sequence[str]
) -> PrometheusHost | None:
    """Return the host that a selector matches in a period; None if node_exporter has no series of it.

    Args:
        api: queries of the server.
        selector: label matchers in braces; empty to match everything.
        start: seconds since the epoch.
        end: seconds since the epoch.
        network_exclude: shell patterns of network interfaces to exclude.

    Raises:
        MonitorError: the selector matches several hosts, or the same host twice; or a query fails.
    """
    matchers = label_matchers(selector)
    every_metric = "{" + ",".join(filter(None, (f'__name__=~"{ALL_METRICS}"', matchers))) + "}"
    names = frozenset(api.label_values("__name__", every_metric, start, end))
    anchor = next((name for name in ANCHORS if name in names), None)
    if anchor is None:
        return None
    labels = [_target_labels(entry) for entry in api.series(series(anchor, matchers), start, end)]
    host = _only_host(labels, selector)
    bucket = max(MIN_BUCKET, -int(-(end - start) // MAX_BUCKETS))
    counts = api.query_range(f"count_over_time({series(anchor, matchers)}[{bucket}s])", start, end + bucket, bucket)
    _check_one_target(counts, host)
    ends, scrapes = _largest(counts)
    return PrometheusHost(
        name=host,
        matchers=matchers,
        anchor=anchor,
        fields=frozenset(field for field, metrics in REQUIRED_METRICS.items() if names.issuperset(metrics)),
        interfaces=counted_interface_names(
            api.label_values("device", series(INTERFACE_METRIC, matchers), start, end), network_exclude
        ),
        disks=physical_disk_names(api.label_values("device", series(DISK_METRIC, matchers), start, end)),
        bucket=bucket,
        bucket_ends=ends,
        scrapes=scrapes,
    )


def _target_labels(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name != "__name__"}


def _only_host(targets: Sequence[Mapping[str, str]], selector: str) -> str:
    """Return the name of the only host among the scrape targets; raise MonitorError if there are several."""
    names = sorted({labels.get(HOST_LABEL) or label_text(labels) for labels in targets})
    if len(names) > 1:
        listed = ", ".join(names[:LISTED_HOSTS])
        more = f" and {len(names) - LISTED_HOSTS} more" if len(names) > LISTED_HOSTS else ""
        example = '{instance="' + names[0] + '"}'
        raise MonitorError(
            f"--selector {selector or '{}'} matches {len(names)} hosts: {listed}{more}; select one, such as {example}"
        )
    return names[0] if names else selector


def _check_one_target(counts: Sequence[Series], host: str) -> None:
    """Raise MonitorError if two targets have scrapes of the host in most periods: sums would count it twice."""
    if not counts:
        return
    times, targets = np.unique(np.concatenate([entry.times for entry in counts]), return_counts=True)
    if np.sum(targets > 1) > len(times) / 2:
        listed = ", ".join(label_text(entry.labels) for entry in counts[:LISTED_HOSTS])
        raise MonitorError(f"{host} is scraped more than once: {listed}; add a label to --selector")


def _largest(counts: Sequence[Series]) -> tuple[Array, Array]:
    """Return the times at which any series has a value, in ascending order, and the largest value at each."""
    if not counts:
        return np.empty(0), np.empty(0)
    times = np.concatenate([entry.times for entry in counts])
    values = np.concatenate([entry.values for entry in counts])
    distinct, position = np.unique(times, return_inverse=True)
    largest = np.zeros(len(distinct))
    np.maximum.at(largest, position, values)
    return distinct, largest
