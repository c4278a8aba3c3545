"""Report of a benchmark: measured figures with their targets, as text or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured figure with its targets: `most` is the upper bound, `least` the lower bound, None without one.

    `recorded` is the figure of the last recorded run, None without one.
    """

    name: str
    value: float
    most: float | None = None
    unit: str = ""
    least: float | None = None
    recorded: float | None = None

    @property
    def missed(self) -> bool:
        """True if the value is outside its targets, or not a number."""
        too_high = self.most is not None and not self.value <= self.most
        too_low = self.least is not None and not self.value >= self.least
        return too_high or too_low

    @property
    def target(self) -> str:
        """Targets as text, and a mark if one is missed; empty without targets."""
        bounds = [("at most", self.most), ("at least", self.least)]
        text = ", ".join(f"{word} {bound:.4g}" for word, bound in bounds if bound is not None)
        mark = "  MISSED" if self.missed else ""
        return f"   {text}{mark}" if text else ""

    @property
    def change(self) -> str:
        """Change against the recorded figure as text; empty without one."""
        if not self.recorded:
            return ""
        return f"   {self.value / self.recorded - 1:+.0%} against {self.recorded:.3f}"


def main(
    description: str,
    measure: Callable[[argparse.Namespace], list[Figure]],
    *options: tuple[str, float | str, str],
    more: Callable[[argparse.ArgumentParser], None] = lambda _: None,
) -> int:
    """Run a benchmark from the command line; return the exit code, 1 if --check is given and a target is missed.

    Args:
        description: help text of the benchmark.
        measure: returns the figures.
        options: name, default and help of each option; its type is that of the default.
        more: adds further arguments to the parser.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--check", action="store_true", help="exit with code 1 if a target is missed")
    for name, default, text in options:
        parser.add_argument(name, type=type(default), default=default, help=f"{text} (default {default})")
    more(parser)
    arguments = parser.parse_args()
    figures = measure(arguments)
    if arguments.json:
        print(json.dumps([{**asdict(figure), "missed": figure.missed} for figure in figures]))
    else:
        print(_table(figures))
    missed = [figure.name for figure in figures if figure.missed]
    if missed and arguments.check:
        print(f"missed: {', '.join(missed)}", file=sys.stderr)
        return 1
    return 0


def with_record(figures: Sequence[Figure], path: Path, *, record: bool) -> list[Figure]:
    """Return the figures with those of the record; write them as the new record if `record` is True."""
    recorded = json.loads(path.read_text()) if path.exists() else {}
    if record:
        path.write_text(json.dumps({figure.name: round(figure.value, 4) for figure in figures}, indent=2) + "\n")
    return [replace(figure, recorded=recorded.get(figure.name)) for figure in figures]


def _table(figures: Sequence[Figure]) -> str:
    width = max(len(figure.name) for figure in figures)
    return "\n".join(f"{f.name:<{width}}  {f.value:10.3f} {f.unit:<6}{f.target}{f.change}".rstrip() for f in figures)
