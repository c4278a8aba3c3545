"""Report blocks: lines and tables whose parts have a meaning, shown as a colour.

A report is composed once. `str()` renders it as plain text for a pipe, a file or a mail. On a terminal,
`rich_renderer` draws the same blocks in colour, fitted to the width of the terminal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from monitor.system.formatting import format_number

if TYPE_CHECKING:
    # The help of the commands uses this module and must not import the model.
    from monitor.training.report_parts import ScoreReport

Tone = Literal["good", "caution", "bad", "faint", "heading"]
"""Meaning of a part of a report; a terminal shows it as a colour."""

BAR_WIDTH = 24
"""Width of a full bar in characters."""

LABEL_WIDTH = 12
"""Width of the label of a line in characters."""

SCORE_COLUMNS = ("Brier", "skill", "avg precision", "calibration error")
"""Column names of the cells that `score_cells` returns."""


@dataclass(frozen=True)
class Toned:
    """Text with a meaning (`tone`), which a terminal shows as a colour; None for neutral text."""

    text: str
    tone: Tone | None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Bar:
    """A ratio, 0 to 1, drawn as a bar."""

    ratio: float

    def __str__(self) -> str:
        return ("#" * round(BAR_WIDTH * self.ratio)).ljust(BAR_WIDTH)


Cell = str | Toned | Bar
"""Content of a table cell."""


@dataclass(frozen=True)
class Line:
    """Line of text that consists of parts, after an optional label.

    Attributes:
        parts: plain text and `Toned` text.
        label: text before the parts; continuation lines are indented by its width.
        exact: True for a line that must not wrap, because programs read it too.
    """

    parts: tuple[str | Toned, ...]
    label: str = ""
    exact: bool = False

    def __str__(self) -> str:
        return self.label + "".join(map(str, self.parts))


@dataclass(frozen=True)
class Table:
    """Table with a header row.

    Attributes:
        header: names of the columns.
        rows: rows with one cell per column.
        words: names of the columns whose text may wrap at spaces, in addition to the first column.
    """

    header: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    words: Collection[str] = ()

    def __str__(self) -> str:
        texts = [[str(cell) for cell in row] for row in self.rows]
        return "\n".join(align_columns(self.header, texts))


Block = str | Line | Table
"""Part of a report; a plain string is a line."""


@dataclass(frozen=True)
class Report:
    """Report of a command: its blocks from top to bottom."""

    blocks: tuple[Block, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.blocks))


def labelled_line(label: str, *parts: str | Toned) -> Line:
    """Return a line with a label, padded to LABEL_WIDTH."""
    return Line(parts, label.ljust(LABEL_WIDTH))


def heading(text: str) -> Line:
    """Return a heading for the table below it."""
    return Line((Toned(text, "heading"),))


def align_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table: the first column is left-aligned, the others are right-aligned."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    return [_aligned_row(row, widths) for row in (header, *rows)]


def _aligned_row(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return "  " + "  ".join(cells).rstrip()


def toned_skill(value: float | None) -> Toned:
    """Return a skill score as text with the tone "good" above 0, "bad" below 0, None for 0 or no value."""
    tone: Tone | None = None
    if value:
        tone = "good" if value > 0 else "bad"
    return Toned(format_number(value), tone)


def score_cells(score: ScoreReport) -> tuple[Cell, ...]:
    """Return the table cells of the scores of one predictor, in the order of SCORE_COLUMNS."""
    return (
        format_number(score.brier, 4),
        toned_skill(score.brier_skill),
        format_number(score.average_precision),
        format_number(score.calibration_error),
    )
