"""The page for people: every number is in the HTML, made from the documents of the API; a script draws the curves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from monitor.web.api import Api, ApiError
from monitor.web.ui.html import Node, document, el
from monitor.web.ui.panels import ahead, anomalies, now, quality, serving, state, trained

KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".LICENSE": "text/plain; charset=utf-8",
}
STATIC = files("monitor.web") / "static"

RANGES = (("15m", "15 min"), ("1h", "1 h"), ("6h", "6 h"), ("24h", "24 h"), ("7d", "7 d"))

CURVES = (
    (
        "probability",
        "Probability of high load",
        "shaded: load was high, in violet an anomaly; dashed: what a warning needs; red: warned",
    ),
    ("load", "Load", "ratios; dashed: the bounds that make load high; choose in the legend"),
    ("traffic", "Network and disk", "bytes per second"),
    ("anomaly", "Evidence of an anomaly", "1 is an alarm"),
)


def static_file(name: str) -> tuple[str, bytes] | None:
    """A file of the page with its kind, or None where there is no such file."""
    found = {entry.name: entry for entry in STATIC.iterdir()}.get(name)
    kind = next((kind for ending, kind in KINDS.items() if name.endswith(ending)), None)
    return None if found is None or kind is None else (kind, found.read_bytes())


@cache
def _path(name: str) -> str:
    """Where a file is fetched from; another content is another path, so that it may be kept."""
    found = static_file(name)
    return f"/static/{name}?v={hashlib.sha256(found[1]).hexdigest()[:12]}" if found else f"/static/{name}"


def page(api: Api, host: str) -> str:
    """The page as of now.

    Args:
        api: where every figure on it comes from.
        host: the name of this machine.
    """
    status = _asked(api, "/api/v1/status") or {}
    said = _asked(api, "/api/v1/prediction") or []
    training = _asked(api, "/api/v1/training")
    body = el(
        "body",
        el("a", "to the figures", href="#ahead", class_="skip"),
        el("header", el("h1", "monitor"), el("p", host, class_="host"), _live("state", state, status)),
        el("p", id="lost", role="alert", hidden=True),
        el(
            "main",
            _live("ahead", ahead, status, said),
            _course(),
            _live("quality", quality, status),
            _live("anomalies", anomalies, status, _asked(api, "/api/v1/anomalies")),
            _live("now", now, status),
            _live("serving", serving, status, _asked(api, "/api/v1/model")),
            _training(status, training),
        ),
        _footer(api, status),
        data_interval=status.get("interval", 5.0),
        data_since=status.get("oldest_sample_at"),
    )
    return document(el("html", _head(host), body, lang="en"))


def _asked(api: Api, path: str) -> Any:
    try:
        return api.answer(path, {})
    except ApiError:
        return None


def _live(name: str, panel: Callable[..., list[Node]], *documents: Any) -> Node:
    """A part of the page that the script renews."""
    return el("section", *panel(*documents), id=name, data_live=True)


def _head(host: str) -> Node:
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("title", f"monitor: {host}"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("link", rel="icon", href=_path("icon.svg")),
        el("link", rel="stylesheet", href=_path("uPlot.min.css")),
        el("link", rel="stylesheet", href=_path("page.css")),
        el("script", src=_path("uPlot.iife.min.js"), defer=True),
        el("script", src=_path("page.js"), defer=True),
    )


def _course() -> Node:
    buttons = [el("button", text, type="button", data_range=value) for value, text in RANGES]
    return el(
        "section",
        el("h2", "How it came"),
        el("div", *buttons, class_="ranges", role="group", aria_label="how far back", hidden=True),
        el("noscript", el("p", "The curves need JavaScript. The figures on this page do not.")),
        *(_chart(*curve) for curve in CURVES),
        id="course",
    )


def _chart(name: str, title: str, told: str) -> Node:
    caption = el("figcaption", el("b", title), " ", el("span", told))
    return el("figure", caption, el("div", class_="chart", data_chart=name), hidden=True)


def _training(status: dict[str, Any], training: dict[str, Any] | None) -> Node:
    """The last training; its curves change with it alone, so they are no part of what is renewed."""
    return el(
        "section",
        _live("trained", trained, status, training),
        _chart("loss", "Loss by epoch", "cross-entropy in nats; the dot is the epoch that was kept"),
        _chart("gradient", "Gradient by epoch", "L2 norm of the whole gradient before clipping"),
        id="training",
    )


def _footer(api: Api, status: dict[str, Any]) -> Node:
    links = [el("a", path, href=path) for path in ("/metrics", "/-/healthy", "/-/ready", *api.documents)]
    return el(
        "footer",
        el("p", f"monitor {status.get('version', '')}; all times are UTC. Every figure here is in these documents:"),
        el("nav", *links, aria_label="documents"),
    )
