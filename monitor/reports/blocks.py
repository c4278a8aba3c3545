"""What reports are made of: lines and tables whose parts say what they mean, and how they read as plain text.

A report is written once. As a string it is the plain text of a pipe or a mail; on a terminal `tables` draws the same
parts in colour, fitted to its width.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.system.formatting import format_number

Tone = Literal["good", "caution", "bad", "faint", "heading"]
"""What a part of a report means to its reader."""

BAR = 24
"""Characters of a full bar."""


@dataclass(frozen=True)
class Toned:
    """Text with what it means, None for nothing in particular."""

    text: str
    tone: Tone | None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Bar:
    """A ratio, 0 to 1, as a length beside its figure."""

    ratio: float

    def __str__(self) -> str:
        return ("#" * round(BAR * self.ratio)).ljust(BAR)


Cell = str | Toned | Bar


@dataclass(frozen=True)
class Line:
    """One sentence in parts, behind a label that is as wide as it is written; a line too long goes on below its text.

    `exact` ones are meant for machines too: nobody breaks them.
    """

    parts: tuple[str | Toned, ...]
    label: str = ""
    exact: bool = False

    def __str__(self) -> str:
        return self.label + "".join(map(str, self.parts))


@dataclass(frozen=True)
class Table:
    """Rows under a heading. The first column and those named in `words` may be folded at spaces, the others never."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    words: Collection[str] = ()

    def __str__(self) -> str:
        texts = [[str(cell) for cell in row] for row in self.rows]
        return "\n".join(table(self.header, texts))


@dataclass(frozen=True)
class Report:
    """Lines and tables from top to bottom; a plain string is a line."""

    blocks: tuple[str | Line | Table, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.blocks))


def fact(label: str, *parts: str | Toned) -> Line:
    """A line of a report in which every line has a label."""
    return Line(parts, f"{label:<12}")


def heading(text: str) -> Line:
    """What stands above a table."""
    return Line((Toned(text, "heading"),))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they must be; the first to the left, figures to the right."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        return "  " + "  ".join(cells).rstrip()

    return [line(row) for row in (header, *rows)]


def skill(value: float | None) -> Toned:
    """How much better than a simple guess, 1 at most: below 0 the guess was better."""
    tone: Tone | None = None if not value else "good" if value > 0 else "bad"
    return Toned(format_number(value), tone)


SCORES = ("Brier", "skill", "avg precision", "calibration error")
"""The heading over `score_cells`."""


def score_cells(score: Mapping[str, float | None]) -> tuple[Cell, ...]:
    """A score on data that was kept back, as `model.forecast.metrics` has it, in a row of a table."""
    return (
        format_number(score["brier"], 4),
        skill(score["brier_skill"]),
        format_number(score["average_precision"]),
        format_number(score["calibration_error"]),
    )
