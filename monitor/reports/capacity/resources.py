"""Capacity lines of the status and the prediction: file systems and memory."""

from __future__ import annotations

from monitor.documents.status.capacity import CapacityDocument, ResourceDocument
from monitor.queries.capacity import MIN_SCORED, MODEL, CapacityScore
from monitor.reports.blocks import Block, Line, Toned, heading, labelled_line
from monitor.system.formatting import approximate_duration, format_duration, format_percent


def capacity_lines(capacity: CapacityDocument | None) -> list[Line]:
    """Return one line per resource, and one per kind of scored predictions; none before the first prediction."""
    if capacity is None:
        return []
    lines = [labelled_line("capacity", *_resource_parts(resource)) for resource in capacity.resources]
    scores = [score for score in capacity.scores if score.predictor == MODEL]
    return [*lines, *(labelled_line("score", _score_text(score)) for score in scores)]


def capacity_blocks(capacity: CapacityDocument) -> tuple[Block, ...]:
    """Return a heading and one line per resource, for the report of a prediction; empty without resources."""
    if not capacity.resources:
        return ()
    lines = (Line(_resource_parts(resource)) for resource in capacity.resources)
    return ("", heading("file systems and memory"), *lines)


def _resource_parts(resource: ResourceDocument) -> tuple[str | Toned, ...]:
    used = f"{resource.name} {format_percent(resource.usage)} used; "
    if resource.usage >= resource.limit:
        return used, Toned(f"above {format_percent(resource.limit)}", "bad")
    if resource.probability is None:
        history = approximate_duration(resource.history)
        return (f"{used}no prediction yet: {history} of {format_duration(resource.needed)} of history",)
    limit = f"{format_percent(resource.limit)} within {format_duration(resource.horizon)}"
    full = "" if resource.full_seconds is None else f"; expected in {approximate_duration(resource.full_seconds)}"
    text = f"{used}{format_percent(resource.probability)} probability of {limit}{full}"
    return (text, "; ", Toned("warning", "caution")) if resource.warning else (text,)


def _score_text(score: CapacityScore) -> str:
    name = f"{score.kind} within {format_duration(score.horizon)}: "
    if score.brier is None:
        return f"{name}not enough data yet: {score.scored} of {MIN_SCORED} outcomes"
    if score.skill is None:
        return f"{name}Brier {score.brier:.4f} over {score.scored} predictions; no limit was passed, so no skill"
    return f"{name}Brier {score.brier:.4f}, skill {score.skill:.2f} over {score.scored} predictions"
