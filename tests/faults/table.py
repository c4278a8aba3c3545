"""Table of the injected faults: one row for each, with its promise, its recovery bound and its check."""

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = Path(__file__).parent
RESULTS = DIRECTORY / "results.json"
"""Recorded results: for each case name the measured recovery in seconds, or null for a fault without an outage."""

PROMISES = {
    1: "No acknowledged sample is lost",
    2: "Sampling outlives everything else",
    3: "Never silent, never stuck",
    4: "Recovers without a person",
    5: "Never worse by retraining",
    6: "Nothing is deleted to get out of trouble",
    7: "A wrong clock destroys nothing",
    8: "Bad input is refused in a sentence",
    9: "Hostile HTTP costs little",
    10: "Runs with no privileges",
}

BOUND = 10.0
"""Seconds within which the daemon recovers after the end of a fault, unless a case has a bound of its own."""


@dataclass(frozen=True)
class Case:
    """One injected fault.

    Attributes:
        name: name of the check function, after its module if another module has the name; the ID of the test.
        fault: the fault in a few words.
        injection: the way in which the fault is made.
        promise: number of the promise, a key of PROMISES.
        holds: the checked behaviour.
        bound: longest recovery in seconds after the end of the fault.
        check: injects the fault and asserts the promise; returns the measured recovery in seconds, or None if there
            is no outage.
        long: True for a case that runs by hand only (`-m faults_long`).
        xfail: reason for which the promise does not hold yet; empty if it holds.
        exception: documented exception from the promise; empty if there is none.
    """

    name: str
    fault: str
    injection: str
    promise: int
    holds: str
    check: Callable
    bound: float = BOUND
    long: bool = False
    xfail: str = ""
    exception: str = ""


CASES: dict[str, Case] = {}


def case(fault, injection, promise, holds, **options):
    """Return a decorator that adds a check function to the table; the arguments are fields of Case."""
    assert promise in PROMISES

    def add(check):
        name = check.__name__
        if name in CASES:
            name = f"{check.__module__.rpartition('.')[2]}_{name}"
        assert name not in CASES, f"two cases with the name {name}"
        CASES[name] = Case(name, fault, injection, promise, holds, check, **options)
        return check

    return add


def all_cases():
    """Import every module of `cases/` and return the complete table, ordered by promise and name."""
    for path in sorted((DIRECTORY / "cases").glob("*.py")):
        importlib.import_module(f"tests.faults.cases.{path.stem}")
    return sorted(CASES.values(), key=lambda row: (row.promise, row.name))


def recorded():
    """Return the recorded results by case name."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
