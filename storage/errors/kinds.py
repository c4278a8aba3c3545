"""Kinds of storage errors, with advice for the operator."""

from __future__ import annotations

from enum import Enum
from typing import Self


class StorageErrorKind(Enum):
    """Cause of a StorageError, with advice for the operator; the advice may be empty."""

    ACCESS_DENIED = "access denied", "grant the role of storage.url its schema; see the guide of PostgreSQL"
    BUSY = "busy", "another process has been writing for too long; find out which process has the file open"
    CANNOT_OPEN = "cannot open", "check that its directory exists and that this user may write to it"
    CORRUPT = "corrupt", "it is damaged; move it aside or restore a backup in its place"
    DISK_FULL = "disk full", "free space or inodes on its file system"
    DRIVER_MISSING = "driver missing", "install it, or use SQLite"
    DUPLICATE_KEY = "duplicate key", ""
    FILE_SYSTEM = "file system", ""
    FOREIGN_DATABASE = "foreign database", "set storage.url to another database"
    INTERRUPTED = "interrupted", ""
    INVALID_URL = "invalid URL", "write it like sqlite:////var/lib/monitor/monitor.db"
    IO_ERROR = "I/O error", "check its file system for space and for damage"
    LOCK_HELD = "lock held", ""
    LOCK_UNAVAILABLE = "lock unavailable", "give this user write access to it and to its directory"
    MIGRATION_FAILED = "migration failed", ""
    MISSING = "missing", "check storage.url, and that the daemon has run"
    MODEL_DAMAGED = "model damaged", "roll back to another model"
    NOT_A_DATABASE = "not a database", "move it aside or restore a backup in its place"
    NOT_A_FILE = "not a file", "remove it or name another database"
    NO_ACCESS = "no access", "change its owner or mode"
    NO_FILE = "no file", ""
    NO_PREVIOUS_MODEL = "no previous model", ""
    NO_RESPONSE = "no response", "check its file system and its disk"
    OTHER = "other", ""
    QUOTA_EXCEEDED = "quota exceeded", "free space, or raise the quota of this user on its file system"
    READ_ONLY = "read-only", "mount its file system for writing, and give this user write access to its directory"
    RECOVERING = "recovering", ""
    READ_ONLY_SERVER = "read-only server", "name the primary server, or add target_session_attrs=read-write"
    SCHEMA_DAMAGED = "schema damaged", "move it aside or restore a backup in its place"
    SCHEMA_TOO_NEW = "schema too new", "install the release that wrote it, or restore a backup"
    SERVER_OVERLOADED = "server overloaded", "raise max_connections or the memory of the server"
    SERVER_UNAVAILABLE = "server unavailable", "check storage.url, the server and its pg_hba.conf"
    TIMEOUT = "timeout", "find out what slows the server down"
    TOO_MANY_FILES = "too many files", "raise the limit of open files (LimitNOFILE of the service)"
    UNAVAILABLE = "unavailable", ""
    UNKNOWN_ANOMALY = "unknown anomaly", ""
    UNKNOWN_MODEL = "unknown model", ""

    advice: str

    def __new__(cls, code: str, advice: str) -> Self:
        """Create a member with the code as value and the advice as attribute."""
        member = object.__new__(cls)
        member._value_ = code
        member.advice = advice
        return member
