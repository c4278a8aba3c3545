"""Operations of actions: stored and logged verdicts, notes and maintenance windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from monitor.config.durations import MAX_DURATION, parse_duration, parse_time
from monitor.documents.anomalies import (
    AnomalyDocument,
    MaintenanceDocument,
    MaintenanceEndDocument,
    anomaly_document,
    maintenance_document,
)
from monitor.operator_input import checked_note, new_window
from monitor.stores import Stores
from monitor.system.formatting import LATEST
from monitor.system.logging import get_logger
from monitor.web.api.parameters import MAX_ECHO, row_id
from storage import Verdict

log = get_logger(__name__)


@dataclass(frozen=True)
class Actor:
    """Origin of an action: name of the user, empty without authentication, and address of the client."""

    user: str
    client: str


class Operations:
    """Actions of operators on a database. Invalid fields raise ValueError, unknown IDs UnknownAnomalyError."""

    def __init__(self, stores: Stores, clock: Callable[[], float]) -> None:
        """Initialize the operations.

        Args:
            stores: repositories of the database.
            clock: returns the current time in seconds since the epoch.
        """
        self._stores = stores
        self._clock = clock

    def label_event(self, event_id: str, fields: Mapping[str, str], actor: Actor) -> AnomalyDocument:
        """Record a verdict, a note or both on an anomaly event, and return it.

        Args:
            event_id: ID of the event, as part of a path.
            fields: `verdict` (`expected`, `incident`, or empty to keep the stored one) and `note`.
            actor: origin of the action.
        """
        _require_known(fields, {"verdict", "note"})
        number = row_id(event_id)
        verdict = _verdict(fields.get("verdict", ""))
        note = checked_note(fields["note"]) if "note" in fields else None
        if verdict is None and note is None:
            raise ValueError("a verdict or a note is needed")
        self._stores.anomalies.set_verdict(number, verdict, note, self._clock())
        log.info("anomaly labelled", user=actor.user, client=actor.client, anomaly=number, verdict=verdict, note=note)
        return anomaly_document(self._stores.anomalies.get(number))

    def add_window(self, fields: Mapping[str, str], actor: Actor) -> MaintenanceDocument:
        """Add a maintenance window, and return it.

        Args:
            fields: `start`, `end` (times in UTC), `duration` and `note`; empty ones count as missing.
            actor: origin of the action.
        """
        _require_known(fields, {"start", "end", "duration", "note"})
        now = self._clock()
        window = new_window(
            now,
            _time("start", fields.get("start", ""), now),
            _time("end", fields.get("end", ""), now),
            _duration(fields.get("duration", "")),
            fields.get("note", ""),
        )
        window = replace(window, id=self._stores.anomalies.add_maintenance_window(window))
        log.info(
            "maintenance window added",
            user=actor.user,
            client=actor.client,
            window=window.id,
            start=window.starts_at,
            end=window.ends_at,
            note=window.note,
        )
        return maintenance_document(window)

    def end_window(self, window_id: str, fields: Mapping[str, str], actor: Actor) -> MaintenanceEndDocument:
        """End a maintenance window now, or cancel it if it has not started.

        Args:
            window_id: ID of the window, as part of a path.
            fields: none is known.
            actor: origin of the action.
        """
        _require_known(fields, set())
        number = row_id(window_id)
        self._stores.anomalies.end_maintenance_window(number, self._clock())
        log.info("maintenance window ended", user=actor.user, client=actor.client, window=number)
        return MaintenanceEndDocument(number)


def _require_known(fields: Mapping[str, str], known: set[str]) -> None:
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"unknown field {', '.join(unknown)[:MAX_ECHO]}")


def _verdict(text: str) -> Verdict | None:
    try:
        return Verdict(text) if text else None
    except ValueError:
        raise ValueError(f"verdict is expected or incident, not {text[:MAX_ECHO]!r}") from None


def _time(name: str, text: str, now: float) -> float | None:
    """Return a time in seconds since the epoch; None for an empty text."""
    if not text.strip():
        return None
    seconds = parse_time(text.strip()[:MAX_ECHO], now)
    if seconds is None or not 0 <= seconds <= LATEST:
        raise ValueError(f"{name}: {text[:MAX_ECHO]!r} is not a time such as 2026-03-01T12:00 (UTC)")
    return seconds


def _duration(text: str) -> float | None:
    """Return a duration in seconds; None for an empty text."""
    if not text.strip():
        return None
    seconds = parse_duration(text.strip()[:MAX_ECHO])
    if not 0 < seconds <= MAX_DURATION:
        raise ValueError("duration: must be longer than 0 s, and at most a hundred years")
    return seconds
