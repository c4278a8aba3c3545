"""Exposition of metrics in the Prometheus text format and in OpenMetrics.

The result equals that of prometheus_client byte for byte. Most values do not change between two scrapes, so the text
of a group of metrics is kept while its inputs are the same objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import is_
from typing import Any

from prometheus_client import utils
from prometheus_client.core import Metric
from prometheus_client.samples import Sample

KEPT_TEXTS = 4096
"""Largest number of series and families whose text is kept; a host has about 700."""


@dataclass(frozen=True)
class MetricGroup:
    """Metrics that are made from some immutable values.

    Attributes:
        name: name of the group, unique on a page.
        inputs: arguments of `families`.
        families: returns the metrics: gauges, counters and histograms with names that both formats allow, without
            units, timestamps, exemplars and `_created` samples. A metric may have samples in several groups.
    """

    name: str
    inputs: tuple[Any, ...]
    families: Callable[..., Iterable[Metric]]


class Exposition:
    """Page of all metrics in one format; thread-safe."""

    def __init__(self, groups: Callable[[], Iterable[MetricGroup]], *, openmetrics: bool) -> None:
        """Initialize a page without kept text.

        Args:
            groups: returns the metrics as of now.
            openmetrics: True for OpenMetrics 1.0.0, False for the Prometheus text format 0.0.4.
        """
        self._groups = groups
        self._openmetrics = openmetrics
        self._kept: dict[str, tuple[tuple[Any, ...], dict[str, str]]] = {}

    def page(self) -> bytes:
        """Return the metrics as of now."""
        families: dict[str, list[str]] = {}
        for group in self._groups():
            for header, samples in self._texts(group).items():
                families.setdefault(header, [header]).append(samples)
        parts = [part for texts in families.values() for part in texts]
        if self._openmetrics:
            parts.append("# EOF\n")
        return "".join(parts).encode()

    def _texts(self, group: MetricGroup) -> dict[str, str]:
        """Return the text of the samples of a group, keyed by the HELP and TYPE lines of their family."""
        kept = self._kept.get(group.name)
        # Comparing by identity is cheap for large values. The kept inputs stay alive, so that none is mistaken.
        if kept is not None and all(map(is_, kept[0], group.inputs)):
            return kept[1]
        texts = {}
        for family in group.families(*group.inputs):
            header = _header(family.name, family.type, family.documentation, self._openmetrics)
            texts[header] = "".join(map(_line, family.samples))
        self._kept[group.name] = group.inputs, texts
        return texts


def _line(sample: Sample) -> str:
    """Return the line of a sample."""
    number = utils.floatToGoString(sample.value)  # type: ignore[no-untyped-call]
    return f"{_series(sample.name, tuple(sample.labels.items()))} {number}\n"


@lru_cache(KEPT_TEXTS)
def _header(name: str, kind: str, description: str, openmetrics: bool) -> str:
    """Return the HELP and TYPE lines of a family."""
    text = description.replace("\\", r"\\").replace("\n", r"\n")
    if openmetrics:
        text = text.replace('"', r"\"")
    elif kind == "counter":
        name = f"{name}_total"
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n"


@lru_cache(KEPT_TEXTS)
def _series(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    """Return the name of a sample with its labels, sorted by name."""
    if not labels:
        return name
    pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in sorted(labels))
    return f"{name}{{{pairs}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
