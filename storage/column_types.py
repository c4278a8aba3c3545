"""Column types of the schema."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Dialect, Integer, TypeDecorator

UNSIGNED = BigInteger().with_variant(Integer, "sqlite")
"""Type of a number with 32 bits and no sign; an integer of SQLite has up to 64 bits."""


class JsonText(TypeDecorator[str]):
    """JSON column whose values are read and written as text, byte for byte; reports are sealed (`sealed_text`)."""

    impl = JSON
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Return None: no value is converted."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Return None: no value is converted."""
