"""Operator input: checked notes and maintenance windows, for the commands and the page."""

from __future__ import annotations

from monitor.system.formatting import LATEST
from storage import MaintenanceWindow

MAX_NOTE = 500
"""Largest number of characters of a note."""


def checked_note(text: str) -> str:
    """Return a note on one line: white space is reduced to single spaces.

    Raises:
        ValueError: the note is longer than MAX_NOTE, or has characters that cannot be printed.
    """
    note = " ".join(text.split())
    if len(note) > MAX_NOTE:
        raise ValueError(f"the note has {len(note)} characters; at most {MAX_NOTE} are stored")
    if not note.isprintable():
        raise ValueError("the note has characters that cannot be printed")
    return note


def new_window(
    now: float, start: float | None, end: float | None, duration: float | None, note: str
) -> MaintenanceWindow:
    """Return a maintenance window that is not stored yet.

    Args:
        now: seconds since the epoch.
        start: seconds since the epoch; None for now.
        end: seconds since the epoch; None if the duration is given.
        duration: length in seconds; None if the end is given.
        note: reason for the window.

    Raises:
        ValueError: the end is given twice or not at all, is not after the start, in the past or after the year
            9999, or the note is invalid.
    """
    starts_at = now if start is None else start
    ends_at = end if duration is None else starts_at + duration
    if ends_at is None or (end is not None and duration is not None):
        raise ValueError("a maintenance window has either an end or a duration")
    if not starts_at < ends_at:
        raise ValueError("the maintenance window ends before it starts")
    if ends_at <= now:
        raise ValueError("the maintenance window ends in the past")
    if ends_at > LATEST:
        raise ValueError("the maintenance window ends after the year 9999")
    return MaintenanceWindow(starts_at, ends_at, checked_note(note))
