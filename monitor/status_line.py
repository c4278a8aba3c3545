"""One-line summaries of the daemon's state, for systemd and the readiness endpoint."""

from __future__ import annotations

from monitor.queries.status import Overview
from monitor.state import LiveState
from monitor.stores import is_warning
from monitor.system.formatting import approximate_duration, format_percent
from storage import Prediction


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
        probabilities = [_probability(prediction) for prediction in live.forecast.predictions]
        parts.append(f"high load: {', '.join(probabilities)}")
    return "; ".join(parts)


def _probability(prediction: Prediction) -> str:
    warning = " (warning)" if is_warning(prediction) else ""
    return f"{format_percent(prediction.probability)} within {approximate_duration(prediction.horizon)}{warning}"
