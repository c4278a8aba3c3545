"""The parts of the page, each made from documents of the API alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from monitor.config.durations import about
from monitor.exporter.collector import HOST_HELP
from monitor.reports.blocks import figure, percent
from monitor.web.ui.html import Node, el
from monitor.web.ui.widgets import due, quantity, skill, table, time, track

Document = dict[str, Any]

NORM_DECADES = (-8.0, 2.0)
"""Between which powers of ten the norms of gradients are drawn."""


def state(status: Document) -> list[Node]:
    """Is it sampling, and is anything the matter."""
    if not status:
        return [el("p", "not sampling yet", class_="chip bad")]
    sampling = status["sampling"]
    chips = [el("p", "sampling" if sampling else "not sampling", class_=f"chip {'good' if sampling else 'bad'}")]
    if status["high_load"]:
        chips.append(el("p", "load is high", class_="chip bad"))
    if any(p["warning"] for p in status["predictions"]):
        chips.append(el("p", "high load is coming", class_="chip bad"))
    if status["anomalies"]["active"]:
        chips.append(el("p", "anomaly", class_="chip odd"))
    if not status["reload_successful"]:
        chips.append(el("p", "new configuration refused", class_="chip warn"))
    last = status["last_sample"]
    return [*chips, el("p", "last sample ", time(last["at"] if last else None), class_="when")]


def ahead(status: Document, said: Sequence[Document]) -> list[Node]:
    """What is predicted, beside what is usual, and why."""
    heading = el("h2", "High load ahead")
    if not said:
        why = status.get("waiting_for") or "no sample is fresh enough"
        return [heading, el("p", f"Nothing is predicted: {why}.")]
    told = [heading, el("div", *(_card(one) for one in said), class_="cards")]
    if status["waiting_for"]:
        told.append(el("p", f"Said by a prior learned on other hosts. Of this one: {status['waiting_for']}."))
    return told


def _card(one: Document) -> Node:
    p, usual, needs = one["probability"], one["baseline_probability"], one["threshold"]
    never = needs >= 1
    bar = track(p, {"usual": usual} | ({} if never else {"needs": needs}), f"{percent(p)}, usually {percent(usual)}")
    behind = one["served_by"] != "model"
    return el(
        "article",
        el("h3", f"within {about(one['horizon'])}"),
        el("p", el("strong", percent(p)), el("em", "warning") if one["warning"] else None, class_="big"),
        bar,
        el("p", f"usually {percent(usual)}; ", "never warns" if never else f"a warning from {percent(needs)}"),
        el("p", f"said by {one['served_by']}: the model has fallen behind it") if behind else None,
        el("ul", *(el("li", sentence) for sentence in one["because"])),
        class_="card warning" if one["warning"] else "card",
    )


def now(status: Document) -> list[Node]:
    """What the host does."""
    sample = status.get("last_sample") if status else None
    heading = el("h2", "This host now")
    if not sample:
        return [heading, el("p", "No sample yet.")]
    drift = status["input_drift"]
    rows = [
        (
            el("span", name, title=text),
            quantity(sample[name], unit),
            track(sample[name], {}, percent(sample[name])) if unit == "ratio" and sample[name] is not None else None,
            figure(drift.get(name), 2),
        )
        for name, (unit, text) in HOST_HELP.items()
    ]
    return [
        heading,
        table(
            ("metric", "value", "as a bar", "drift"),
            rows,
            note="drift: how far the last day has left the training; 0.25 is far",
        ),
    ]


def anomalies(status: Document, listed: Sequence[Document] | None) -> list[Node]:
    """What was strange."""
    told = status.get("anomalies", {}) if status else {}
    heading = el("h2", "Anomalies")
    if not told.get("watching"):
        return [heading, el("p", f"Not watched for: {told.get('waiting_for') or 'no detector has been learned'}.")]
    counted = f"{told['last_30_days']} in the last 30 days; {told['allowed_in_30_days']:g} false ones are allowed."
    rows = [
        (
            f"{one['id']}",
            time(one["started_at"]),
            "goes on" if one["ended_at"] is None else about(one["ended_at"] - one["started_at"]),
            one["channel"],
            figure(one["peak"]),
            ", ".join(f"{name} {percent(share)}" for name, share in list(one["contributions"].items())[:3]),
            one["verdict"] or "-",
        )
        for one in (listed or [])[:10]
    ]
    head = ("id", "began", "lasted", "kind", "score", "metrics", "called")
    return [heading, el("p", counted), *([table(head, rows)] if rows else [])]


def quality(status: Document) -> list[Node]:
    """Its own predictions against what happened."""
    heading = el("h2", "How good the predictions were")
    scores = [one for one in status.get("scores", []) if one["scored"]] if status else []
    if not scores:
        return [
            heading,
            el("p", "No outcome of the last 7 days is known yet: each waits until its horizon has passed."),
        ]
    rows = [
        (
            one["horizon_name"],
            f"{one['scored']}",
            percent(one["base_rate"]),
            figure(one["brier"], 4),
            skill(one["skill"]),
            skill(one["skill_over_persistence"]),
            percent(one["precision"]),
            percent(one["recall"]),
            f"{one['stretches_warned']} of {one['stretches']}",
            "-" if one["lead_time"] is None else about(one["lead_time"]),
        )
        for one in scores
    ]
    head = (
        "horizon",
        "scored",
        "came",
        "Brier",
        "skill",
        "over persistence",
        "precision",
        "recall",
        "warned of",
        "before",
    )
    note = "the last 7 days; skill above 0 is better than always saying how often it comes, 1 is perfect"
    return [heading, table(head, rows, note=note), el("div", *(_reliability(one) for one in scores), class_="cards")]


def _reliability(one: Document) -> Node:
    """What was said beside what came: dots on the diagonal are honest."""
    size, most = 120, max(row["scored"] for row in one["reliability"])
    dots = [
        el(
            "circle",
            el("title", f"said {percent(row['said'])}, came {percent(row['came'])}, {row['scored']} predictions"),
            cx=round(size * row["said"], 1),
            cy=round(size * (1 - row["came"]), 1),
            r=round(3 + 6 * math.sqrt(row["scored"] / most), 1),
        )
        for row in one["reliability"]
    ]
    picture = el(
        "svg",
        el("rect", width=size, height=size, class_="bed"),
        el("line", x1=0, y1=size, x2=size, y2=0, class_="diagonal"),
        *dots,
        viewBox=f"-10 -10 {size + 20} {size + 20}",
        class_="reliability",
        role="img",
        aria_label=f"what was said and what came, {one['horizon_name']}",
    )
    rows = [(percent(row["said"]), percent(row["came"]), f"{row['scored']}") for row in one["reliability"]]
    off = f"off by {figure(one['calibration_error'])} on average"
    return el(
        "article",
        el("h3", f"{one['horizon_name']}: said and came"),
        picture,
        el(
            "details",
            el("summary", off),
            table(("said", "came", "predictions"), rows),
            id=f"said-{one['horizon_name']}",
        ),
        class_="card",
    )


def serving(status: Document, model: Document | None) -> list[Node]:
    """What serves, and how good it was on what it never saw."""
    heading = el("h2", "The model that serves")
    if not status or model is None:
        return [heading, el("p", f"None: {status.get('waiting_for', '') if status else 'not sampling yet'}.")]
    behind = [
        el("li", f"behind: {one['baseline']} serves instead for {about(one['horizon'])} while load is {one['load']}")
        for one in status["serving_instead"]
    ]
    if status["model"]["prior"]:
        told = f"Model {model['id']}, a prior learned on other hosts; it serves until there is one of this host."
        return [heading, el("p", told)]
    told = f"Model {model['id']}, trained "
    rows = [
        (f"{about(horizon['horizon'])} {name}", *(figure(score[key], digits) for key, digits in _HOLDOUT.items()))
        for horizon in model["report"]["horizons"]
        for name, score in horizon["scores"].items()
    ]
    note = (
        "on the most recent data, never seen by the network; precision is the average, calibration the expected error"
    )
    holdout = table(("horizon, predictor", "Brier", "skill", "precision", "calibration"), rows, note=note)
    sha = el("code", model["sha256"][:12], title=model["sha256"])
    return [heading, el("p", told, time(model["created_at"]), ", sha256 ", sha), el("ul", *behind), holdout]


_HOLDOUT = {"brier": 4, "brier_skill": 3, "average_precision": 3, "calibration_error": 3}


def trained(status: Document, run: Document | None) -> list[Node]:
    """How the last training went, promoted or not."""
    heading = el("h2", "The last training")
    retrain = status.get("retrain", {}) if status else {}
    following = "under way" if retrain.get("running") else due(retrain.get("next_at"))
    counts = ", ".join(f"{number} {outcome}" for outcome, number in retrain.get("runs", {}).items() if number)
    planned = el("p", f"The next: {following}. So far: {counts or 'none'}.")
    if run is None:
        return [heading, planned]
    reason = f": {run['reason']}" if run["reason"] else ""
    tone = {"promoted": "good", "failed": "bad"}.get(run["outcome"], "warn")
    told = el("p", el("span", run["outcome"], class_=f"chip {tone}"), " ", time(run["finished_at"]), reason)
    return [heading, told, planned, *(_health(run["report"]) if "health" in run["report"] else [])]


def _health(report: Document) -> list[Node]:
    health = report["health"]
    tone = "good" if health["state"] == "healthy" else "bad"
    steps = f" {health['clipped_steps']} of {health['steps']} steps clipped, {health['nonfinite_steps']} not finite."
    norms = [
        (p["name"], f"{p['norm']:.1e}", f"{p['norm_max']:.1e}", f"{p['update_ratio']:.1e}", _norm(p))
        for p in health["parameters"]
    ]
    layers = [
        (layer["name"], percent(layer["dead_ratio"]), percent(layer.get("saturation_ratio")))
        for layer in health["layers"]
    ]
    return [
        el("p", "Gradients ", el("span", health["state"], class_=f"chip {tone}"), steps),
        el("ul", *(el("li", sentence) for sentence in health["advice"] if sentence)),
        table(
            ("parameter", "mean norm", "max norm", "update/weight", "vanishing ... exploding"),
            norms,
            note="L2 norms of the gradient in the last epoch, from 1e-8 to 1e2",
        ),
        table(("layer", "dead units", "saturated"), layers),
    ]


def _norm(parameter: Document) -> Node:
    low, high = NORM_DECADES

    def place(norm: float) -> float:
        return (math.log10(max(norm, 10**low)) - low) / (high - low)

    told = f"mean {parameter['norm']:.1e}, at most {parameter['norm_max']:.1e}"
    return track(place(parameter["norm"]), {"most": place(parameter["norm_max"])}, told)
