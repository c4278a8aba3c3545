#!/usr/bin/env python3
"""Reliability page generator: injected faults, promises and measured recovery, from tests/faults.

    python scripts/make_reliability.py [--check]

Writes docs/reference/reliability.md; with --check, compares the page and exits with 1 if it differs.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.faults.table import PROMISES, Case, all_cases, recorded  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "reliability.md"

HEADER = """# Reliability

<!-- Made by `make reliability` from tests/faults. -->

The daemon makes ten promises. `tests/faults` injects faults into the real process and checks them: `pytest -m faults`
in CI, `pytest -m faults_long` by hand. `make reliability` runs the first and writes this page.

"held" means that every assertion of the case held: no acknowledged sample lost, truthful health, the right exit code.
Recovery is the time from the end of the fault to the next stored sample, at a sampling interval of 0.2 s on two busy
cores. A dash means that the fault causes no outage. The bound is the longest recovery with which the case passes.
"""


def reliability_page() -> str:
    """Return the page as Markdown."""
    results = recorded()
    cases = all_cases()
    parts = [HEADER]
    for number, promise in PROMISES.items():
        rows = [row(case, results) for case in cases if case.promise == number]
        if rows:
            parts += [f"\n## {number}. {promise}\n", "| fault | injection | checked | result | recovery | bound |"]
            parts += ["|---|---|---|---|---|---|", *rows]
    return "\n".join(parts) + "\n"


def row(case: Case, results: dict[str, float | None]) -> str:
    """Return the table row of a case."""
    recovery = results.get(case.name)
    cells = (
        f'{case.fault}<a id="{case.name}"></a>',
        case.injection,
        case.holds,
        result(case, results),
        "-" if recovery is None else f"{recovery:g} s",
        "-" if case.name in results and recovery is None else f"{case.bound:g} s",
    )
    return f"| {' | '.join(cells)} |"


def result(case: Case, results: dict[str, float | None]) -> str:
    """Return the result of a case in words."""
    if case.xfail:
        return f"does not hold yet: {case.xfail}"
    if case.name not in results:
        return "not recorded"
    return f"held, except: {case.exception}" if case.exception else "held"


def main() -> None:
    """Write the page, or compare it."""
    page = reliability_page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page:
        raise SystemExit(f"{PAGE} is not current: run `make reliability-page`")


if __name__ == "__main__":
    main()
