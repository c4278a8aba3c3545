"""Selection of hosts: filter, order and page of a list of hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.array_types import Bools
from monitor.documents.fleet import FleetDocument
from monitor.fleet.process.host_table import HostTable
from monitor.fleet.process.state import FleetState
from monitor.fleet.serving.host_documents import host_document, newest_step, risk_horizon
from monitor.web.api import ApiError
from monitor.web.api.parameters import MAX_ECHO

MAX_LIMIT = 1000
"""Largest number of hosts of one page."""

DEFAULT_LIMIT = 100
MAX_OFFSET_DIGITS = 9

STATES: dict[str, Callable[[HostTable, float], Bools]] = {
    "all": lambda table, _: np.ones(len(table.hosts), bool),
    "warning": lambda table, step: (table.warnings.any(axis=1) | table.high) & table.predicted(step),
    "high": lambda table, step: table.high & table.predicted(step),
    "stale": lambda table, step: table.stale(step),
}
"""For each value of the parameter `state`, the hosts that it selects; warnings include high load."""

ORDERS = ("risk", "host", "last_seen")
"""Values of the parameter `sort`: highest risk, name, or oldest sample first."""

PARAMETERS = frozenset({"filter", "state", "sort", "limit", "offset"})


@dataclass(frozen=True)
class Selection:
    """Query for hosts.

    Attributes:
        text: text that the names contain, in upper or lower case; empty for all.
        state: key of STATES.
        order: one of ORDERS.
        limit: largest number of hosts.
        offset: number of matching hosts to leave out.
    """

    text: str = ""
    state: str = "all"
    order: str = "risk"
    limit: int = DEFAULT_LIMIT
    offset: int = 0


def parse_selection(query: Mapping[str, str]) -> Selection:
    """Return the selection of query parameters.

    Raises:
        ApiError: a parameter is unknown or has an invalid value.
    """
    unknown = sorted(set(query) - PARAMETERS)
    if unknown:
        raise ApiError(400, f"no parameter {unknown[0][:MAX_ECHO]}: there are {', '.join(sorted(PARAMETERS))}")
    return Selection(
        text=query.get("filter", "").strip(),
        state=_one_of(query, "state", tuple(STATES)),
        order=_one_of(query, "sort", ORDERS),
        limit=_number(query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT),
        offset=_number(query, "offset", 0, 0, 10**MAX_OFFSET_DIGITS - 1),
    )


def select_hosts(state: FleetState, selection: Selection) -> FleetDocument:
    """Return one page of the hosts that a selection matches."""
    table = state.table
    rows = _matching_rows(table, state.step, selection)
    page = rows[selection.offset : selection.offset + selection.limit]
    since = {(warning.host, warning.horizon): warning.started_at for warning in state.warnings}
    return FleetDocument(
        at=newest_step(table),
        risk_horizon=risk_horizon(table),
        total=len(table.hosts),
        matched=len(rows),
        offset=selection.offset,
        limit=selection.limit,
        hosts=tuple(host_document(table, int(row), state.step, since) for row in page),
    )


def ranked_rows(table: HostTable, step: float) -> Any:
    """Return (hosts,) rows of a table: highest risk first, hosts without a prediction last, equal ones by name."""
    risks = np.full(len(table.hosts), -1.0)
    predicted = table.predicted(step)
    if predicted.any():
        risks[predicted] = table.probabilities[predicted, table.risk_horizon]
    return np.lexsort((np.array(table.hosts, object).astype(str), -risks))


def _matching_rows(table: HostTable, step: float, selection: Selection) -> Any:
    if not table.hosts:
        return np.empty(0, np.intp)
    if selection.order == "risk":
        rows = ranked_rows(table, step)
    elif selection.order == "host":
        rows = np.argsort(np.array(table.hosts))
    else:
        rows = np.lexsort((np.array(table.hosts), table.last_seen))
    matches = STATES[selection.state](table, step)
    if selection.text:
        text = selection.text.lower()
        matches &= np.fromiter((text in host.lower() for host in table.hosts), bool, len(table.hosts))
    return rows[matches[rows]]


def _one_of(query: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = query.get(name, allowed[0])
    if value not in allowed:
        raise ApiError(400, f"{name}={value[:MAX_ECHO]}: {name} is one of {', '.join(allowed)}")
    return value


def _number(query: Mapping[str, str], name: str, default: int, minimum: int, maximum: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    # The function `int` also accepts underscores, spaces and the digits of other scripts.
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_OFFSET_DIGITS
    if not is_number or not minimum <= int(text) <= maximum:
        raise ApiError(400, f"{name}={text[:MAX_ECHO]}: {name} is from {minimum} to {maximum}")
    return int(text)
