"""Rendering of reports on a terminal: coloured tables, fitted to the terminal width.

Values are never truncated. A table that is too wide first wraps headings and words, then drops its bars, and finally
is transposed: its rows become columns, as many side by side as fit. The colours are the 16 of the terminal. No
information is in the colour alone: the text states the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from monitor.reports.blocks import BAR_WIDTH, Bar, Cell, Line, Report, Table

STYLES = {"good": "green", "caution": "yellow", "bad": "bold red", "faint": "dim", "heading": "bold", None: ""}

INDENT = 2
GAP = 2
"""Number of characters between two columns."""

MAX_WORD_WIDTH = 16
"""Length in characters of the longest word that is never broken to make a column narrower."""

MAX_TRANSPOSED_WIDTH = 24
"""Largest width, in characters, of text that may wrap in a transposed table."""

MIN_BAR_WIDTH = 8


def draw(report: Report, file: TextIO, *, colors: bool) -> str:
    """Return the text of a report for a terminal.

    Args:
        report: the report.
        file: the terminal; its width and encoding are used.
        colors: True for coloured text; False for tables without colour.
    """
    console = Console(
        file=file, force_terminal=True, color_system="standard", no_color=not colors, highlight=False, markup=False,
        emoji=False,
    )  # fmt: skip
    with console.capture() as captured:
        for block, following in zip_longest(report.blocks, report.blocks[1:], fillvalue=""):
            _print(console, Line((block,)) if isinstance(block, str) else block)
            if isinstance(block, Table) and following != "":
                console.print()
    return captured.get()


def _print(console: Console, block: Line | Table) -> None:
    if isinstance(block, Table):
        bar_character = "#" if console.options.ascii_only else "█"
        for number, part in enumerate(_render_table(block, console.width, bar_character)):
            if number:
                console.print()
            console.print(Padding(part, (0, 0, 0, INDENT), expand=False))
    elif block.exact:
        console.print(_text(block.parts), soft_wrap=True)
    else:
        console.print(_render_line(block))


def _text(parts: Sequence[Cell]) -> Text:
    return Text.assemble(*((part, "") if isinstance(part, str) else (str(part), _style(part)) for part in parts))


def _style(cell: Cell) -> str:
    return "" if isinstance(cell, str | Bar) else STYLES[cell.tone]


def _render_line(line: Line) -> RenderableType:
    """Return a line with a hanging indent: wrapped text is aligned with the text after the label."""
    text = _text(line.parts)
    indent = cell_len(line.label) + len(text.plain) - len(text.plain.lstrip())
    if not indent or not text.plain:
        return text
    grid = Grid.grid()
    grid.add_column(width=indent)
    grid.add_column(overflow="fold")
    grid.add_row(Text(line.label, "bold"), text[len(text.plain) - len(text.plain.lstrip()) :])
    return grid


@dataclass(frozen=True)
class _Column:
    """One table column with its minimum and maximum width.

    Attributes:
        name: header.
        cells: one cell per row.
        folds: True if the text may wrap at spaces.
    """

    name: str
    cells: Sequence[Cell]
    folds: bool

    @property
    def has_bars(self) -> bool:
        return any(isinstance(cell, Bar) for cell in self.cells)

    @property
    def max_width(self) -> int:
        """Return the width without wrapping."""
        return max(cell_len(text) for text in (self.name, *map(str, self.cells)))

    @property
    def min_width(self) -> int:
        """Return the smallest width that breaks no word of up to MAX_WORD_WIDTH; MIN_BAR_WIDTH for bars."""
        if self.has_bars:
            return MIN_BAR_WIDTH
        texts = [str(cell) for cell in self.cells]
        longest_value = 1 if self.folds else max(map(cell_len, texts), default=1)
        words = " ".join((self.name, *(texts if self.folds else ()))).split()
        return max(longest_value, *(min(cell_len(word), MAX_WORD_WIDTH) for word in words))


def _render_table(table: Table, width: int, bar_character: str) -> Iterator[Grid]:
    folding = {table.header[0], *table.words}
    columns = [_Column(name, [row[i] for row in table.rows], name in folding) for i, name in enumerate(table.header)]
    available = width - INDENT
    if _min_table_width(columns) > available:
        columns = [column for column in columns if not column.has_bars]
    if _min_table_width(columns) > available:
        yield from _transposed(columns, available)
    else:
        yield _upright(columns, _fit_widths(columns, available), bar_character)


def _upright(columns: Sequence[_Column], widths: Sequence[int], bar_character: str) -> Grid:
    grid = _grid()
    for column, width in zip(columns, widths, strict=True):
        justify: JustifyMethod = "left" if column.folds or column.has_bars else "right"
        grid.add_column(column.name, width=width, justify=justify, overflow="fold")
    for row in zip(*(column.cells for column in columns), strict=True):
        grid.add_row(*(_render_cell(cell, width, bar_character) for cell, width in zip(row, widths, strict=True)))
    return grid


def _transposed(columns: Sequence[_Column], available: int) -> Iterator[Grid]:
    """Yield transposed tables: column names in the first column, then one column per row, as many as fit."""
    head, *others = columns
    name_width = max(cell_len(column.name) for column in columns)
    width = max(map(_transposed_width, columns))
    rows_per_table = max(1, (available - name_width) // (width + GAP))
    for first in range(0, len(head.cells), rows_per_table):
        shown = range(len(head.cells))[first : first + rows_per_table]
        grid = _grid()
        grid.add_column(head.name, width=name_width)
        for i in shown:
            grid.add_column(_render_cell(head.cells[i]), width=width, overflow="fold")
        for column in others:
            grid.add_row(Text(column.name, "dim"), *(_render_cell(column.cells[i]) for i in shown))
        yield grid


def _transposed_width(column: _Column) -> int:
    if column.folds:
        return min(column.max_width, MAX_TRANSPOSED_WIDTH)
    return max((cell_len(str(cell)) for cell in column.cells), default=1)


def _grid() -> Grid:
    return Grid(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), border_style="dim")


def _min_table_width(columns: Sequence[_Column]) -> int:
    return sum(column.min_width + GAP for column in columns) - GAP


def _fit_widths(columns: Sequence[_Column], available: int) -> list[int]:
    """Return the width of each column so that the table fits into `available` characters.

    Columns whose cells cannot wrap shrink first, because their headings can; the others follow. The widest column of
    each kind shrinks first, and none below its minimum width.
    """
    widths = [column.max_width for column in columns]
    excess = sum(widths) + GAP * (len(widths) - 1) - available
    for _ in range(excess):
        shrinkable = [i for i, column in enumerate(columns) if widths[i] > column.min_width]
        widths[max(shrinkable, key=lambda i: (not columns[i].folds, widths[i]))] -= 1
    return widths


def _render_cell(cell: Cell, width: int = 0, bar_character: str = "") -> Text:
    if isinstance(cell, Bar):
        return Text(bar_character * round(min(width, BAR_WIDTH) * cell.ratio), "cyan")
    return Text(str(cell), _style(cell))
