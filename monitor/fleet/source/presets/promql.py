"""PromQL of many hosts: rates and current values, one series per host."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.sampling.history_sources.device_names import PARTITION, STACKED_INTERFACES, VOLUME_PREFIXES
from monitor.sampling.history_sources.node_exporter import series
from monitor.sampling.sources.disk import EXCLUDED_PREFIXES
from monitor.sampling.sources.interfaces import EXCLUDED_PATTERNS

NVME_PATH_PATTERN = "(nvme[0-9]+)c[0-9]+(n[0-9]+)"
"""Pattern of the name of one path to an NVMe namespace: nvme0c1n2 is a path of nvme0n2."""

_GLOB_PART = re.compile(r"\[(!?)([^]]+)\]|.")


@dataclass(frozen=True)
class HostQueries:
    """Parts of expressions over the series of many hosts.

    A host may be scraped more than once, by two replicas of Prometheus or in two jobs. Expressions therefore
    aggregate the devices of each scrape target first, and `by_host` selects the largest target of each host: sums
    never count a host twice.

    Attributes:
        matchers: label matchers that select the hosts, without braces.
        host_label: label that names a host.
        window: seconds over which rates are computed; an older value is out of date.
        network_exclude: shell patterns of network interfaces to exclude.
    """

    matchers: str
    host_label: str
    window: int
    network_exclude: tuple[str, ...] = ()

    def rate(self, metric: str, *matchers: str) -> str:
        """Return the increase per second of the counters of a metric; a counter reset is no decrease."""
        return f"rate({series(metric, *matchers, self.matchers)}[{self.window}s])"

    def last(self, metric: str, *matchers: str) -> str:
        """Return the newest value in the window, so that a value does not outlive its host by five minutes."""
        return f"last_over_time({series(metric, *matchers, self.matchers)}[{self.window}s])"

    def by_host(self, expression: str) -> str:
        """Return the largest value of each host."""
        return f"max by ({self.host_label}) ({expression})"

    def total(self, expression: str, *labels: str) -> str:
        """Return the sum over the values of labels, for each scrape target."""
        return f"sum without ({', '.join(labels)}) ({expression})"

    def interfaces(self, label: str) -> str:
        """Return the matcher that excludes virtual interfaces, and those that count the bytes of others."""
        patterns = (*EXCLUDED_PATTERNS, *STACKED_INTERFACES, *self.network_exclude)
        return _excluding(label, map(glob_pattern, patterns))

    def disks(self, label: str) -> str:
        """Return the matcher that excludes partitions, volumes and virtual disks."""
        prefixes = "|".join((*EXCLUDED_PREFIXES, *VOLUME_PREFIXES))
        partition = PARTITION.pattern.replace(r"\d", "[0-9]")
        return _excluding(label, (f"(?:{prefixes}).*", partition))

    def disk_total(self, expression: str, label: str, *other_labels: str) -> str:
        """Return the sum over disks; a namespace of NVMe and its paths, which count the same bytes, count once.

        Args:
            expression: expression with one series per disk.
            label: label with the name of the disk.
            other_labels: other labels of disks.
        """
        named = f'label_replace({expression}, "disk", "$1", "{label}", "(.*)")'
        merged = f'label_replace({named}, "disk", "$1$2", "{label}", "{NVME_PATH_PATTERN}")'
        labels = ", ".join((label, *other_labels))
        return self.total(f"max without ({labels}) ({merged})", "disk")


def glob_pattern(pattern: str) -> str:
    """Return a shell pattern as a regular expression of RE2."""
    return "".join(_glob_part(part) for part in _GLOB_PART.finditer(pattern))


def _glob_part(part: re.Match[str]) -> str:
    negation, characters = part.groups()
    if characters:
        escaped = characters.replace("\\", r"\\").replace("[", r"\[")
        return f"[{'^' if negation else ''}{escaped}]"
    return {"*": ".*", "?": "."}.get(part[0]) or re.escape(part[0])


def _excluding(label: str, patterns: Iterable[str]) -> str:
    escaped = "|".join(patterns).replace("\\", "\\\\").replace('"', '\\"')
    return f'{label}!~"{escaped}"'
