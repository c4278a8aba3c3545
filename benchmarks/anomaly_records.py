"""Records of anomaly benchmarks: scores of a variant by series, and their paired comparison."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.labelled import EventScorecard
from benchmarks.report import Figure
from model.array_types import Floats

RESAMPLES = 5000


@dataclass(frozen=True)
class SeriesScore:
    """Scores of the detector on one series.

    Attributes:
        group: name of the data set.
        name: name of the host.
        vus_pr: VUS-PR of the anomaly score.
        events: detected events and false alarms.
        seconds: duration of fit and scoring.
    """

    group: str
    name: str
    vus_pr: float
    events: EventScorecard
    seconds: float


def write_record(path: Path, description: str, scores: Iterable[SeriesScore]) -> None:
    """Write a record: the name of the file, a description, figures by set, and VUS-PR by series."""
    scores = list(scores)
    groups = list(dict.fromkeys(score.group for score in scores))
    total = _total(scores)
    by_group = {group: [score for score in scores if score.group == group] for group in groups}
    record: dict[str, Any] = {
        "name": path.stem,
        "description": description,
        "vus_pr": {group: _rounded(np.mean([s.vus_pr for s in part])) for group, part in by_group.items()},
        "events_found": {group: _total(part).detected for group, part in by_group.items()},
        "events": {group: _total(part).events for group, part in by_group.items()},
        "false_alarms_per_month": {
            group: _rounded(_total(part).false_alarms_per_month, 2) for group, part in by_group.items()
        },
        "median_delay_minutes": None if not total.delays else total.median_delay,
        "seconds": round(sum(score.seconds for score in scores)),
        "series": {f"{score.group}/{score.name}": _rounded(score.vus_pr) for score in scores},
    }
    path.write_text(json.dumps(record, indent=1) + "\n")


def load_record(path: Path) -> dict[str, float]:
    """Return the VUS-PR of each series of a record."""
    series: dict[str, float] = json.loads(path.read_text())["series"]
    return series


def figures(series: Mapping[str, float], reference: Mapping[str, float]) -> Iterator[Figure]:
    """Yield the mean VUS-PR of each set, and the difference from a reference with its 95 % bootstrap interval.

    Args:
        series: VUS-PR by series, named "<set>/<host>".
        reference: the same of another record; empty without a comparison.
    """
    for group in dict.fromkeys(name.partition("/")[0] for name in series):
        names = [name for name in series if name.startswith(f"{group}/")]
        yield Figure(f"VUS-PR, {group}", float(np.mean([series[name] for name in names])))
        differences = np.array([series[name] - reference[name] for name in names if name in reference])
        if len(differences):
            low, high = _interval(differences)
            yield Figure(f"VUS-PR, {group}: difference [{low:+.3f}, {high:+.3f}]", float(differences.mean()))


def _interval(differences: Floats) -> tuple[float, float]:
    """Return the 95 % interval of the mean of differences (series,), by resampling the series."""
    rng = np.random.default_rng(0)
    means = differences[rng.integers(0, len(differences), (RESAMPLES, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    return low, high


def _total(scores: Iterable[SeriesScore]) -> EventScorecard:
    total = EventScorecard()
    for score in scores:
        total.add_scorecard(score.events)
    return total


def _rounded(value: object, digits: int = 4) -> float:
    return round(float(np.asarray(value, np.float64)), digits)
