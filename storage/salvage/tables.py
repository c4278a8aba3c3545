"""Table reader: rows of the tables of a damaged database, page by page."""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from storage.salvage.cells import Page, Value, children, read_page, records
from storage.salvage.cells import PageType as Kind
from storage.salvage.image import DatabaseImage
from storage.salvage.shapes import TableShape, known_tables, release_shape, stored_shape

Row = dict[str, Value]

FREELIST_OFFSET = 32
"""Offset of the number of the first page of the list of unused pages (fileformat.html, 1.3)."""


@dataclass
class SalvageCounts:
    """Counts of what was read and lost.

    Attributes:
        read: number of readable rows of each table.
        damaged: number of rows of each table that are on a readable page and cannot be decoded.
        unreadable_pages: number of pages whose rows are lost, or could only be found by a search of all pages.
    """

    read: Counter[str] = field(default_factory=Counter)
    damaged: Counter[str] = field(default_factory=Counter)
    unreadable_pages: int = 0


class TableReader:
    """Reader of the tables of a damaged database, with bounded memory: one byte per page and one row at a time.

    Attributes:
        counts: counts of what was read and lost so far.
        has_schema: True if the database states the definition of a table of this program.
        foreign: name of a table of a database of another program; empty for a database of this program.
    """

    def __init__(self, image: DatabaseImage) -> None:
        """Read the schema."""
        self.counts = SalvageCounts()
        self.foreign = ""
        self._image = image
        self._visited = bytearray(image.pages + 1)
        self._is_damaged = False
        self._shapes: dict[str, TableShape] = {}
        self._read_schema()
        self.has_schema = bool(self._shapes)
        self._mark_unused_pages()

    def rows(self, *names: str) -> Iterator[tuple[str, Row]]:
        """Yield the rows of tables, each with the name of its table and its values by column.

        The tree of each table is read first. If a page of a tree or the schema is damaged, all other pages follow: a
        page belongs to the table whose columns fit its rows.

        Args:
            names: names of tables.
        """
        for name in names:
            shape = self._shapes.get(name)
            if shape is None:
                # A release with an older schema may lack the table.
                self._is_damaged |= not self.has_schema
                continue
            yield from self._tree(shape)
        if self._is_damaged:
            # Without its root page, a shape fits complete records only.
            shapes = [replace(self._shapes.get(name) or release_shape(name), root=0) for name in names]
            yield from self._orphans(shapes)

    def _tree(self, shape: TableShape) -> Iterator[tuple[str, Row]]:
        pending = [shape.root]
        while pending:
            number = pending.pop()
            if 1 <= number < len(self._visited) and self._visited[number]:
                self._is_damaged = True
                continue
            page = read_page(self._image, number)
            rows = None if page is None else self._decoded(shape, page)
            if page is None or rows is None:
                self._is_damaged = True
                self.counts.unreadable_pages += 1
                continue
            self._visited[number] = 1
            pending.extend(reversed(children(page)))
            yield from rows

    def _orphans(self, shapes: Sequence[TableShape]) -> Iterator[tuple[str, Row]]:
        """Yield the rows of the pages that no tree contains."""
        for number in range(1, len(self._visited)):
            page = None if self._visited[number] else read_page(self._image, number)
            if page is None or not page.cells:
                continue
            rows = next(filter(None, (self._decoded(shape, page, 1) for shape in shapes)), None)
            if rows is not None:
                self._visited[number] = 1
                yield from rows

    def _decoded(self, shape: TableShape, page: Page, min_rows: int = 0) -> Iterator[tuple[str, Row]] | None:
        """Return an iterator over the rows of a page; None if it is no page of the table.

        Args:
            shape: shape of the table.
            page: the page.
            min_rows: number of rows that a page of the table has at least.
        """
        if (page.type in (Kind.INDEX_LEAF, Kind.INDEX_INTERIOR)) is not shape.without_row_id:
            return None
        if page.type is Kind.TABLE_INTERIOR:
            return None if min_rows else iter(())
        fits = any(self._fits(shape, record) for record in records(self._image, page))
        if not fits and (min_rows or page.cells):
            return None
        return self._counted(shape, page)

    @staticmethod
    def _fits(shape: TableShape, record: tuple[int, list[Value]] | None) -> bool:
        return record is not None and shape.row(*record) is not None

    def _counted(self, shape: TableShape, page: Page) -> Iterator[tuple[str, Row]]:
        for record in records(self._image, page):
            row = None if record is None else shape.row(*record)
            if row is None:
                self._is_damaged = True
                self.counts.damaged[shape.name] += 1
            else:
                self.counts.read[shape.name] += 1
                yield shape.name, row

    def _read_schema(self) -> None:
        """Read the definitions of the known tables; a damaged one is found again by a search of all pages."""
        text = frozenset({str})
        columns = ("type", "name", "tbl_name", "rootpage", "sql")
        integer = frozenset({int})
        schema = TableShape(
            name="sqlite_schema",
            columns=columns,
            types=(text, text, text, integer, text | {type(None)}),
            row_id_column=None,
            without_row_id=False,
            root=1,
        )
        known = known_tables()
        others = []
        for _, row in self._tree(schema):
            name = str(row["name"])
            if row["type"] != "table" or name.startswith("sqlite_"):
                continue
            if name not in known:
                others.append(name)
                continue
            try:
                self._shapes[name] = stored_shape(name, str(row["sql"]), int(str(row["rootpage"])))
            except (sqlite3.Error, ValueError):
                self._is_damaged = True
        del self.counts.read[schema.name]
        if others and not self._shapes:
            self.foreign = others[0]

    def _mark_unused_pages(self) -> None:
        """Mark the pages of deleted rows as visited: a search of all pages must not bring the rows back."""
        first = self._image.page(1)
        number = struct.unpack_from(">I", first, FREELIST_OFFSET)[0] if first else 0
        while 1 <= number < len(self._visited) and not self._visited[number]:
            self._visited[number] = 1
            page = self._image.page(number)
            if not page:
                return
            following, count = struct.unpack_from(">II", page)
            leaves = struct.unpack_from(f">{min(count, self._image.usable_size // 4 - 2)}I", page, 8)
            for leaf in leaves:
                if leaf < len(self._visited):
                    self._visited[leaf] = 1
            number = following
