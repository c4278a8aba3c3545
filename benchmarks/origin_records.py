"""Records of rolling-origin scores, and their paired comparison."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.report import Figure
from model.array_types import Floats

SCORES = ("average precision", "skill", "calibration error")
RESAMPLES = 5000

Scores = dict[str, list[float]]
"""Numbers of SCORES by key "<predictor>, <task>, <horizon>", for example "served, onset, 15m"."""


def mean_over_origins(results: Iterable[tuple[str, Scores]]) -> dict[str, Scores]:
    """Return the mean scores of each machine, from the scores at each origin."""
    by_machine: dict[str, dict[str, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    for machine, scores in results:
        for key, numbers in scores.items():
            by_machine[machine][key].append(numbers)
    return {
        machine: {key: np.mean(rows, axis=0).round(4).tolist() for key, rows in keys.items()}
        for machine, keys in by_machine.items()
    }


def write_record(path: Path, description: str, seconds: float, machines: Mapping[str, Scores]) -> None:
    """Write a record: the name of the file, a description, seconds per origin, and the scores of each machine."""
    lines = [f"{json.dumps(machine)}: {json.dumps(scores)}" for machine, scores in machines.items()]
    head = json.dumps({"name": path.stem, "description": description, "seconds": round(seconds, 1)})
    # One line per machine
    path.write_text(head[:-1] + ', "machines": {\n' + ",\n".join(lines) + "\n}}\n")


def load_record(path: Path) -> dict[str, Scores]:
    """Return the scores of each machine of a record."""
    machines: dict[str, Scores] = json.loads(path.read_text())["machines"]
    return machines


def figures(machines: Mapping[str, Scores], reference: Mapping[str, Scores]) -> Iterator[Figure]:
    """Yield the mean scores at onset of each set of machines, and differences from a reference.

    A set is a directory of traces. A difference has a 95 % bootstrap interval over the machines in both.
    """
    keys = dict.fromkeys(
        (machine.partition("/")[0], key)
        for machine, scores in machines.items()
        for key in scores
        if ", onset," in key
    )
    for group, key in sorted(keys):
        own = {name: s[key] for name, s in machines.items() if name.startswith(f"{group}/") and key in s}
        common = [name for name in own if key in reference.get(name, {})]
        for i, kind in enumerate(SCORES):
            label = f"{group}, {key}: {kind} over {len(own)} machines"
            yield Figure(label, float(np.mean([numbers[i] for numbers in own.values()])))
            if common:
                differences = np.array([own[name][i] - reference[name][key][i] for name in common])
                low, high = bootstrap_interval(differences)
                yield Figure(f"{label}, difference", float(differences.mean()))
                yield Figure(f"{label}, difference, 2.5 %", low)
                yield Figure(f"{label}, difference, 97.5 %", high)


def bootstrap_interval(differences: Floats) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean of paired differences (machines,)."""
    rows = np.random.default_rng(0).integers(0, len(differences), (RESAMPLES, len(differences)))
    low, high = np.quantile(differences[rows].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)
