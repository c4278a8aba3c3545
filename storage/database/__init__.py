"""Databases: engine, connections, transactions and opening."""

from storage.database.database import DAMAGE, Database
from storage.database.engine import JOURNAL_SIZE_LIMIT, parse_url
from storage.database.opening import closed_database, open_database, prepare_schema
from storage.database.pool import MAX_IDLE_CONNECTIONS

__all__ = [
    "DAMAGE",
    "JOURNAL_SIZE_LIMIT",
    "MAX_IDLE_CONNECTIONS",
    "Database",
    "closed_database",
    "open_database",
    "parse_url",
    "prepare_schema",
]
