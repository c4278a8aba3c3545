"""Portable SQL: expressions and statements that SQLite and PostgreSQL write differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Column, ColumnElement, Connection, Float, Integer, Table, func, literal, select
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.functions import GenericFunction

SQLITE = "sqlite"


class whole_part(GenericFunction[int]):  # noqa: N801 - the name of a function of SQL
    """Whole part of a number that is not negative."""

    type = Integer()
    inherit_cache = True


class as_number(GenericFunction[int]):  # noqa: N801 - the name of a function of SQL
    """Truth value as 0 or 1. SQLite stores it so, and a cast would hide a damaged value."""

    type = Integer()
    inherit_cache = True


class whole_remainder(GenericFunction[int]):  # noqa: N801 - the name of a function of SQL
    """Remainder of the whole parts of two numbers that are not negative."""

    type = Integer()
    inherit_cache = True


class least_of(GenericFunction[float]):  # noqa: N801 - the name of a function of SQL
    """Smallest of several numbers of a row."""

    type = Float()
    inherit_cache = True


@compiles(whole_part)
def _whole_part(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    # A cast truncates in SQLite and rounds in PostgreSQL.
    number = compiler.process(element.clauses, **options)
    return f"CAST({number} AS INTEGER)" if compiler.dialect.name == SQLITE else f"CAST(floor({number}) AS INTEGER)"


@compiles(as_number)
def _as_number(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    value = compiler.process(element.clauses, **options)
    return value if compiler.dialect.name == SQLITE else f"CAST({value} AS INTEGER)"


@compiles(whole_remainder)
def _whole_remainder(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    parts = [compiler.process(clause, **options) for clause in element.clauses]
    if compiler.dialect.name != SQLITE:
        parts = [f"CAST(floor({part}) AS BIGINT)" for part in parts]
    return f"mod({', '.join(parts)})" if compiler.dialect.name != SQLITE else f"({parts[0]} % {parts[1]})"


@compiles(least_of)
def _least_of(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    name = "min" if compiler.dialect.name == SQLITE else "least"
    return f"{name}({compiler.process(element.clauses, **options)})"


def stored_number(column: Column[Any]) -> ColumnElement[Any]:
    """Return the SQL expression for a column of numbers or truth values as numbers."""
    return as_number(column) if isinstance(column.type, Boolean) else column


def insert_or_update(
    connection: Connection,
    table: Table,
    key: Sequence[str],
    updated: Sequence[str],
    *,
    added: Sequence[str] = (),
    where: ColumnElement[bool] | None = None,
) -> Insert:
    """Build the INSERT that changes a stored row with the same key instead of failing.

    Args:
        connection: connection that will execute it.
        table: table with a unique key.
        key: names of the columns of the key.
        updated: names of the columns of the stored row that get the new values.
        added: names of the columns whose new values are added to the stored ones.
        where: condition for the change of a stored row; None to change any.
    """
    new: Any = _insert(connection)(table)
    values: Mapping[str, Any] = {
        **{name: new.excluded[name] for name in updated},
        **{name: table.c[name] + new.excluded[name] for name in added},
    }
    changed: Insert = new.on_conflict_do_update(index_elements=key, set_=values, where=where)
    return changed


def insert_or_ignore(connection: Connection, table: Table) -> Insert:
    """Build the INSERT that does nothing if a row with the same key is stored."""
    new: Insert = _insert(connection)(table).on_conflict_do_nothing()
    return new


def continue_ids(connection: Connection, table: Table) -> None:
    """Let the IDs that the database assigns continue after the largest one of a table, which was stored explicitly.

    SQLite does so by itself.
    """
    if connection.dialect.name != SQLITE:
        largest = func.coalesce(func.max(table.c.id), 0)
        sequence = func.pg_get_serial_sequence(table.name, table.c.id.name)
        connection.execute(select(func.setval(sequence, largest + 1, literal(False))))


def _insert(connection: Connection) -> Any:
    if connection.dialect.name == SQLITE:
        return sqlite_insert
    from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - SQLite needs none of it

    return insert
