"""Benchmark report: measured figures with targets, as text or JSON, and the exit code."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """Measured figure with optional targets: largest (`most`) and smallest (`least`) accepted value."""

    name: str
    value: float
    most: float | None = None
    unit: str = ""
    least: float | None = None

    @property
    def missed(self) -> bool:
        """Return True if the value misses a target."""
        too_high = self.most is not None and not self.value <= self.most
        return too_high or (self.least is not None and not self.value >= self.least)

    @property
    def target(self) -> str:
        """Return the targets as text, marked if missed; empty without target."""
        bounds = [("at most", self.most), ("at least", self.least)]
        words = ", ".join(f"{word} {bound:.4g}" for word, bound in bounds if bound is not None)
        return f"   {words}{'  MISSED' if self.missed else ''}" if words else ""


def main(
    description: str,
    measure: Callable[[argparse.Namespace], list[Figure]],
    *options: tuple[str, int | str, str],
    more: Callable[[argparse.ArgumentParser], None] = lambda _: None,
) -> int:
    """Measure and print figures; return the exit code, which is 1 if --check is given and a target is missed.

    Args:
        description: of the benchmark.
        measure: returns the figures for the parsed arguments.
        options: name, default and help of each option; the type is that of the default.
        more: adds further arguments to the parser.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    for name, default, text in options:
        parser.add_argument(name, type=type(default), default=default, help=f"{text} (default {default})")
    more(parser)
    arguments = parser.parse_args()
    figures = measure(arguments)
    print(json.dumps([{**asdict(f), "missed": f.missed} for f in figures]) if arguments.json else _table(figures))
    missed = [figure.name for figure in figures if figure.missed]
    if missed and arguments.check:
        print(f"missed: {', '.join(missed)}", file=sys.stderr)
        return 1
    return 0


def _table(figures: Sequence[Figure]) -> str:
    width = max(len(figure.name) for figure in figures)
    return "\n".join(f"{f.name:<{width}}  {f.value:10.3f} {f.unit:<6}{f.target}".rstrip() for f in figures)
