"""Fleet reports: status, hosts by risk, one host, scores and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.documents.fleet import (
    FleetDocument,
    FleetHostDetailsDocument,
    FleetHostDocument,
    FleetScoreDocument,
    FleetStatusDocument,
    FleetWarningDocument,
)
from monitor.reports.blocks import Block, Cell, Report, Table, Toned
from monitor.reports.status.channels import channel_lines
from monitor.system.formatting import format_count, format_duration, format_number, format_percent, format_time

MAX_LISTED_WARNINGS = 20
"""Largest number of warnings in a report."""


def fleet_status_report(status: FleetStatusDocument) -> Report:
    """Return the status of the fleet process and the number of hosts in each state."""
    if not status.running:
        state: Block = "fleet process: not running"
    elif status.source is None:
        state = "fleet process: runs, but does not answer at web.listen"
    else:
        state = f"fleet process: runs since {format_time(status.started_at)}"
    blocks: list[Block] = [state]
    if status.source is not None:
        source = status.source
        problem = "" if source.error is None else f", unavailable since {format_time(source.failing_since)}"
        blocks.append(f"source: {source.url}{problem}")
        blocks += [source.error] if source.error else []
        if source.filled_steps or source.lost_steps:
            blocks.append(f"missed steps: {source.filled_steps} filled, {source.lost_steps} lost")
    blocks.append(f"newest step: {format_time(status.at)}")
    blocks.append(
        f"hosts: {status.hosts}, {status.predicted} predicted, {status.stale} stale, "
        f"{status.pending} waiting for their histories"
    )
    blocks.append(f"load: {format_count(status.high_load, 'host')} high, {status.warning} with a warning")
    blocks += channel_lines(status.notifications)
    blocks += [f"job hung: {name}" for name in status.hung_jobs]
    blocks += [f"database: {status.storage_error}"] if status.storage_error else []
    return Report(tuple(blocks))


def fleet_hosts_report(page: FleetDocument, note: str = "") -> Report:
    """Return a table of hosts by risk.

    Args:
        page: hosts.
        note: sentence below the table; empty for none.
    """
    if not page.hosts:
        return Report(("no host",))
    horizons = sorted({prediction.horizon for host in page.hosts for prediction in host.predictions})
    header = ("host", *(format_duration(horizon) for horizon in horizons), "state", "model")
    rows = [(host.host, *_probabilities(host, horizons), _state(host), host.model or "-") for host in page.hosts]
    blocks: list[Block] = [f"newest step: {format_time(page.at)}", Table(header, rows, words={"state", "model"})]
    if page.matched > len(page.hosts):
        blocks.append(f"{len(page.hosts)} of {page.matched} hosts")
    blocks += [note] if note else []
    return Report(tuple(blocks))


def fleet_host_report(details: FleetHostDetailsDocument, note: str = "") -> Report:
    """Return one host with its predictions, scores and newest warnings."""
    host = details.host
    rows = [
        (
            format_duration(prediction.horizon),
            Toned(format_percent(prediction.probability), "bad" if prediction.warning else None),
            format_percent(prediction.baseline_probability),
            format_percent(prediction.warning_threshold),
            "-" if prediction.warning_since is None else f"since {format_time(prediction.warning_since)}",
        )
        for prediction in host.predictions
    ]
    blocks: list[Block] = [f"{host.host}: {_state(host)}, newest sample {format_time(host.last_seen)}"]
    if host.model:
        blocks.append(f"model: {host.model}")
    if rows:
        header = ("horizon", "probability", "usually", "warning from", "warning")
        blocks.append(Table(header, rows, words={"warning"}))
    blocks += [note] if note else []
    return Report((*blocks, *_score_blocks(details.scores), *_warning_blocks(details.warnings)))


def fleet_score_report(scores: Sequence[FleetScoreDocument], warnings: Sequence[FleetWarningDocument]) -> Report:
    """Return scores per horizon and the newest warnings."""
    return Report((*_score_blocks(scores), *_warning_blocks(warnings)))


def fleet_models_report(models: Mapping[str, int]) -> Report:
    """Return the number of hosts that each model serves."""
    if not models:
        return Report(("no host has a prediction yet",))
    return Report((Table(("model", "hosts"), [(name, str(count)) for name, count in models.items()]),))


def _probabilities(host: FleetHostDocument, horizons: Sequence[float]) -> list[Cell]:
    by_horizon = {prediction.horizon: prediction for prediction in host.predictions}
    cells: list[Cell] = []
    for horizon in horizons:
        prediction = by_horizon.get(horizon)
        if prediction is None:
            cells.append("-")
        else:
            cells.append(Toned(format_percent(prediction.probability), "bad" if prediction.warning else None))
    return cells


def _state(host: FleetHostDocument) -> str:
    if host.stale:
        return "stale"
    if host.high_load:
        return "high load"
    return "warning" if host.warning else "normal" if host.predictions else "no prediction"


def _score_blocks(scores: Sequence[FleetScoreDocument]) -> list[Block]:
    if not scores:
        return ["no prediction is scored yet: a prediction is scored once its horizon has passed"]
    rows = [
        (
            format_duration(score.horizon),
            str(score.scored),
            format_percent(score.high_load_share),
            format_number(score.brier, 4),
            format_number(score.brier_skill),
            format_percent(score.precision),
            format_percent(score.recall),
        )
        for score in scores
    ]
    return [Table(("horizon", "scored", "high load", "Brier", "skill", "precision", "recall"), rows)]


def _warning_blocks(warnings: Sequence[FleetWarningDocument]) -> list[Block]:
    if not warnings:
        return ["no warnings"]
    rows = [
        (
            warning.host,
            format_duration(warning.horizon),
            format_time(warning.started_at),
            "active" if warning.ended_at is None else format_time(warning.ended_at),
            format_percent(warning.peak),
        )
        for warning in warnings[:MAX_LISTED_WARNINGS]
    ]
    table = Table(("host", "horizon", "start", "end", "largest"), rows, words={"start", "end"})
    hidden = len(warnings) - len(rows)
    return [table, f"{format_count(hidden, 'older warning')} not listed"] if hidden else [table]
