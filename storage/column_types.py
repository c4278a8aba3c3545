"""Column types of the schema."""

from __future__ import annotations

from sqlalchemy import JSON, Dialect, TypeDecorator


class JsonText(TypeDecorator[str]):
    """JSON column whose values are read and written as text, byte for byte; reports are sealed (`sealed_text`)."""

    impl = JSON
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Return None: no value is converted."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Return None: no value is converted."""
