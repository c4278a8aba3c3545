"""A report on a terminal: tables fitted to its width, and colours that carry meaning. Only this file draws with rich.

No figure is ever cut. A table that is too wide folds its headings and words, then does without its bars, and at last
is turned: its rows become columns, as many side by side as there is room for. The colours are the terminal's own
sixteen, which its owner has made readable on its background; each says again what a word or a figure says.
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

from monitor.reports.blocks import BAR, Bar, Cell, Line, Report, Table

STYLES = {"good": "green", "caution": "yellow", "bad": "bold red", "faint": "dim", "heading": "bold", None: ""}
INDENT, GAP = 2, 2
LONGEST_WORD, LONGEST, SHORTEST_BAR = 16, 24, 8
"""Characters: longer words are broken, longer words of a turned table folded; a shorter bar says nothing."""


def drawn(report: Report, file: TextIO, *, colors: bool) -> str:
    """What to write to a terminal.

    Args:
        report: what is told.
        file: the terminal; its width and encoding are looked at.
        colors: whether colours are wanted beside the tables.
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
        for number, part in enumerate(_table(block, console.width, "#" if console.options.ascii_only else "█")):
            if number:
                console.print()
            console.print(Padding(part, (0, 0, 0, INDENT), expand=False))
    elif block.exact:
        console.print(_text(block.parts), soft_wrap=True)
    else:
        console.print(_line(block))


def _text(parts: Sequence[Cell]) -> Text:
    return Text.assemble(*((part, "") if isinstance(part, str) else (str(part), _style(part)) for part in parts))


def _style(cell: Cell) -> str:
    return "" if isinstance(cell, str | Bar) else STYLES[cell.tone]


def _line(line: Line) -> RenderableType:
    """A line that goes on under its own beginning, not under its label."""
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
    """One column: how wide it would be, and how narrow it may become with no figure of it cut."""

    name: str
    cells: Sequence[Cell]
    folds: bool

    @property
    def bars(self) -> bool:
        return any(isinstance(cell, Bar) for cell in self.cells)

    @property
    def widest(self) -> int:
        return max(cell_len(text) for text in (self.name, *map(str, self.cells)))

    @property
    def narrowest(self) -> int:
        if self.bars:
            return SHORTEST_BAR
        texts = [str(cell) for cell in self.cells]
        whole = 1 if self.folds else max(map(cell_len, texts), default=1)
        words = " ".join((self.name, *(texts if self.folds else ()))).split()
        return max(whole, *(min(cell_len(word), LONGEST_WORD) for word in words))


def _table(table: Table, width: int, block: str) -> Iterator[Grid]:
    folding = {table.header[0], *table.words}
    columns = [_Column(name, [row[i] for row in table.rows], name in folding) for i, name in enumerate(table.header)]
    room = width - INDENT
    if _needed(columns) > room:
        columns = [column for column in columns if not column.bars]
    if _needed(columns) > room:
        yield from _turned(columns, room)
    else:
        yield _upright(columns, _widths(columns, room), block)


def _upright(columns: Sequence[_Column], sizes: Sequence[int], block: str) -> Grid:
    grid = _grid()
    for column, size in zip(columns, sizes, strict=True):
        justify: JustifyMethod = "left" if column.folds or column.bars else "right"
        grid.add_column(column.name, width=size, justify=justify, overflow="fold")
    for row in zip(*(column.cells for column in columns), strict=True):
        grid.add_row(*(_cell(cell, size, block) for cell, size in zip(row, sizes, strict=True)))
    return grid


def _turned(columns: Sequence[_Column], room: int) -> Iterator[Grid]:
    """Rows as columns, as many side by side as fit beside the names."""
    head, rest = columns[0], columns[1:]
    names = max(cell_len(column.name) for column in columns)
    size = max(
        min(column.widest, LONGEST)
        if column.folds
        else max((cell_len(str(cell)) for cell in column.cells), default=1)
        for column in columns
    )
    together = max(1, (room - names) // (size + GAP))
    for first in range(0, len(head.cells), together):
        shown = range(len(head.cells))[first : first + together]
        grid = _grid()
        grid.add_column(head.name, width=names)
        for i in shown:
            grid.add_column(_cell(head.cells[i]), width=size, overflow="fold")
        for column in rest:
            grid.add_row(Text(column.name, "dim"), *(_cell(column.cells[i]) for i in shown))
        yield grid


def _grid() -> Grid:
    return Grid(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), border_style="dim")


def _needed(columns: Sequence[_Column]) -> int:
    return sum(column.narrowest + GAP for column in columns) - GAP


def _widths(columns: Sequence[_Column], room: int) -> list[int]:
    """Each as wide as it would be, less what there is no room for: headings and bars give first, then the widest."""
    sizes = [column.widest for column in columns]
    for _ in range(sum(sizes) + GAP * (len(sizes) - 1) - room):
        spare = [i for i, column in enumerate(columns) if sizes[i] > column.narrowest]
        sizes[max(spare, key=lambda i: (not columns[i].folds, sizes[i]))] -= 1
    return sizes


def _cell(cell: Cell, size: int = 0, block: str = "") -> Text:
    if isinstance(cell, Bar):
        return Text(block * round(min(size, BAR) * cell.ratio), "cyan")
    return Text(str(cell), _style(cell))
