"""Pages of a fleet: hosts by risk, and one host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote, urlencode

from monitor.fleet.process.state import FleetState
from monitor.fleet.serving.api import FLEET_PATH, FleetApi
from monitor.fleet.serving.application import HOST_PAGE_PREFIX, PAGE_PATH
from monitor.fleet.serving.host_documents import status_document
from monitor.fleet.serving.selection import DEFAULT_LIMIT, Selection, parse_selection, select_hosts
from monitor.system.formatting import format_duration
from monitor.web.api import ApiError
from monitor.web.ui.environment import environment
from monitor.web.ui.event_page import RenderedPage

PAGES = ((PAGE_PATH, "Fleet"),)

STATE_LABELS = (
    ("all", "all"),
    ("warning", "warning or high load"),
    ("high", "high load"),
    ("stale", "stale"),
)
"""Values of the parameter `state`, with their texts."""

CURVE_HEIGHT = 20.0
"""Height of a curve in SVG units; a step is one unit wide."""


def render_fleet_page(state: FleetState, query: Mapping[str, str], name: str) -> RenderedPage:
    """Return the page with the hosts that a query selects; a page with the error if the query is invalid.

    Args:
        state: state of the process.
        query: query parameters, as of FLEET_PATH.
        name: name of this machine.
    """
    try:
        selection = parse_selection(query)
    except ApiError as error:
        return _error_page(error, name)
    page = select_hosts(state, selection)
    table = state.table
    rows = [(host, curve_lines(table.recent[table.rows[host.host]].tolist())) for host in page.hosts]
    horizon = "" if page.risk_horizon is None else f" within {format_duration(page.risk_horizon)}"
    html = _render(
        "fleet/hosts.html",
        state,
        name,
        path=PAGE_PATH,
        page=page,
        rows=rows,
        selection=selection,
        states=STATE_LABELS,
        horizons=[format_duration(seconds) for seconds in table.horizons],
        caption=f"risk: probability of high load{horizon}; curves: the last 60 steps",
        link=page_link,
    )
    return RenderedPage(200, html)


def render_host_page(api: FleetApi, state: FleetState, host: str, name: str) -> RenderedPage:
    """Return the page of one host; a page with the error if there is no such host.

    Args:
        api: source of the details.
        state: state of the process.
        host: value of the host label.
        name: name of this machine.
    """
    try:
        details = api.host(host)
    except ApiError as error:
        return _error_page(error, name)
    return RenderedPage(
        200, _render("fleet/host.html", state, name, path="", details=details, lines=curve_lines(details.recent))
    )


def curve_lines(probabilities: Sequence[float | None]) -> list[str]:
    """Return the points of the lines of a curve; a missing probability divides it, and a single one is a dash.

    Args:
        probabilities: from 0 to 1, oldest first; None or NaN where missing.
    """
    lines: list[list[str]] = [[]]
    for number, value in enumerate(probabilities):
        if value is None or value != value:  # noqa: PLR0124 - NaN
            lines.append([])
            continue
        height = round(CURVE_HEIGHT * (1.0 - value), 1)
        lines[-1] += [f"{number},{height:g}", f"{number + 1},{height:g}"]
    return [" ".join(points) for points in lines if points]


def host_path(host: str) -> str:
    """Return the path of the page of a host."""
    return f"{HOST_PAGE_PREFIX}{quote(host, safe=':')}"


def page_link(selection: Selection, **changes: str | int) -> str:
    """Return the URL of the page for a selection with changes, without the parameters that have their default."""
    changed = replace(selection, **changes)  # type: ignore[arg-type]
    default = Selection()
    parameters = {
        "filter": changed.text,
        "state": changed.state,
        "sort": changed.order,
        "limit": changed.limit,
        "offset": changed.offset,
    }
    defaults = {"filter": "", "state": default.state, "sort": default.order, "limit": DEFAULT_LIMIT, "offset": 0}
    stated = {key: value for key, value in parameters.items() if value != defaults[key]}
    return f"{PAGE_PATH}?{urlencode(stated)}" if stated else PAGE_PATH


def _render(template: str, state: FleetState, name: str, **context: object) -> str:
    made = environment()
    made.filters["host_path"] = host_path
    return made.get_template(template).render(
        host=name,
        pages=PAGES,
        status=status_document(state),
        document_paths=("/metrics", "/-/healthy", "/-/ready", "/api/v1/status", FLEET_PATH),
        **context,
    )


def _error_page(error: ApiError, name: str) -> RenderedPage:
    html = environment().get_template("fleet/error.html").render(host=name, pages=PAGES, message=str(error))
    return RenderedPage(error.code, html)
