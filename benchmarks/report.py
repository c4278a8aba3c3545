"""What every benchmark shares: measured figures beside their targets, as text or JSON, and a verdict."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure; `most` is the target, None where there is none."""

    name: str
    value: float
    most: float | None = None
    unit: str = ""

    @property
    def missed(self) -> bool:
        """Whether the target is missed."""
        return self.most is not None and not self.value <= self.most


def main(
    description: str, measure: Callable[[argparse.Namespace], list[Figure]], *options: tuple[str, int, str]
) -> int:
    """Measures, prints, and with --check returns 1 where a target is missed.

    Args:
        description: of the benchmark.
        measure: gives the figures.
        options: name, default and help of each whole-number option.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    for name, default, text in options:
        parser.add_argument(name, type=int, default=default, help=f"{text} (default {default})")
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
    lines = []
    for figure in figures:
        target = "" if figure.most is None else f"   at most {figure.most:g}{'  MISSED' if figure.missed else ''}"
        lines.append(f"{figure.name:<{width}}  {figure.value:10.3f} {figure.unit:<6}{target}")
    return "\n".join(lines)
