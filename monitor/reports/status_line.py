"""One-line summaries of the daemon's state, for systemd and the readiness endpoint."""

from __future__ import annotations

from monitor.config.durations import about
from monitor.queries.status import Overview
from monitor.reports.blocks import percent
from monitor.state import LiveState
from monitor.stores import is_warning


def model_line(live: LiveState | None, overview: Overview | None) -> str:
    """Return which model serves, and what the first training on this host waits for."""
    pending = overview.waiting_for if overview else ""
    if live is not None and live.model_id is not None:
        until = f" until there is one of this host: {pending}" if pending else ""
        return f"model {live.model_id} serves{until}"
    return f"no model serves yet: {pending}" if pending else "no model serves yet"


def status_line(live: LiveState, overview: Overview | None) -> str:
    """Return the serving model, samples that wait for the database, and the probabilities of high load."""
    parts = ["sampling"]
    if live.samples_buffered:
        parts.append(f"{live.samples_buffered} samples wait for the database")
    parts.append(model_line(live, overview))
    if live.forecast is not None:
        probabilities = (
            f"{percent(p.probability)} within {about(p.horizon)}{' (warning)' if is_warning(p) else ''}"
            for p in live.forecast.predictions
        )
        parts.append(f"high load: {', '.join(probabilities)}")
    return "; ".join(parts)
