"""Source examination: one step for `monitor doctor`, and hosts with several scrape targets."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.config.fleet.source_section import SourceSection
from monitor.config.loader import Config
from monitor.errors import MonitorError
from monitor.fleet.source.answers import STRUCTURE_ERRORS
from monitor.fleet.source.factory import create_source
from monitor.fleet.source.presets import ANCHORS
from monitor.fleet.source.presets.promql import HostQueries
from monitor.fleet.source.server_queries import ServerQueries
from monitor.fleet.source.statistics import SourceStatistics
from monitor.sampling.history_sources.http_client import HttpClient
from monitor.sampling.history_sources.prometheus_api import label_text
from monitor.sampling.history_sources.prometheus_host import label_matchers

TARGETS_PATIENCE = 10.0
"""Seconds to wait for the scrape targets of the hosts."""


@dataclass(frozen=True)
class SourceExamination:
    """Findings about a source.

    Attributes:
        url: base URL of the server, without credentials.
        hosts: number of hosts with values.
        counts: number of hosts with a value, by field.
        statistics: failures and irregularities of the step.
        clock_skew: seconds by which the clock of the server is ahead of this host; None if unknown.
        targets: labels of the scrape targets of each host that has several; None if they are unknown.
    """

    url: str
    hosts: int
    counts: Mapping[str, int]
    statistics: SourceStatistics
    clock_skew: float | None
    targets: Mapping[str, tuple[str, ...]] | None


def examine_source(config: Config, now: float) -> SourceExamination:
    """Read the last complete step.

    Args:
        config: configuration with source.kind = "prometheus".
        now: seconds since the epoch.

    Raises:
        ConfigError: the HTTP client configuration is invalid.
        SourceError: no query succeeds, or there are too many hosts.
    """
    source = create_source(config)
    section = config.source
    sample = source.read(math.floor((now - section.delay) / section.step) * section.step)
    counts = (~np.isnan(sample.values)).sum(axis=0).tolist()
    return SourceExamination(
        url=source.client.url,
        hosts=len(sample.hosts),
        counts=dict(zip(source.columns, counts, strict=True)),
        statistics=source.statistics,
        clock_skew=source.client.clock_skew,
        targets=_repeated_targets(source.client, section, sample.time),
    )


def _repeated_targets(client: HttpClient, section: SourceSection, at: float) -> Mapping[str, tuple[str, ...]] | None:
    """Return the labels of the scrape targets of each host that has several; None if the query fails."""
    if section.preset not in ANCHORS:
        return None
    label = section.host_label
    queries = HostQueries(label_matchers(section.selector), label, int(section.rate_window))
    targets = queries.last(ANCHORS[section.preset])
    expression = f"{targets} and on ({label}) (count by ({label}) ({targets}) > 1)"
    server = ServerQueries(client, section.timeout, 1, accepts_partial=section.partial_answers)
    try:
        document = server.instant(expression, at, time.monotonic() + TARGETS_PATIENCE)
        return _labels_by_host(document, label)
    except (MonitorError, *STRUCTURE_ERRORS):
        return None


def _labels_by_host(document: Any, label: str) -> Mapping[str, tuple[str, ...]]:
    labels: dict[str, list[str]] = {}
    for entry in document["data"]["result"]:
        metric = {name: value for name, value in entry["metric"].items() if name != "__name__"}
        labels.setdefault(metric.get(label, ""), []).append(label_text(metric))
    return {host: tuple(texts) for host, texts in sorted(labels.items())}
