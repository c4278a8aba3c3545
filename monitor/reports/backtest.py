"""Backtest report: training runs, scores next to the baselines, anomaly events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from monitor.documents.backtest import BacktestAnomalies, BacktestAttempt, BacktestDocument
from monitor.reports.anomalies import contribution_text
from monitor.reports.blocks import SCORE_COLUMNS, Block, Line, Report, Table, Toned, heading, score_cells
from monitor.reports.files import bad_cell_lines, lines_without_value
from monitor.reports.scores import scorecard_blocks
from monitor.system.formatting import approximate_duration, format_duration, format_percent, format_time

LISTED_REFUSALS = 3
LISTED_EVENTS = 5

EVENT_HEADER = ("start", "duration", "channel", "metrics")


def backtest_report(document: BacktestDocument) -> Report:
    """Return the report of a backtest: training runs, scores and anomaly events."""
    return Report(
        (
            *_trainings(document),
            *_scores(document),
            *scorecard_blocks(document.scorecard),
            *_anomalies(document.anomalies),
        )
    )


def _trainings(document: BacktestDocument) -> tuple[Block, ...]:
    start = format_time(document.until)
    promoted = sum(not attempt.refusal for attempt in document.attempts)
    refusals = sorted({attempt.refusal for attempt in document.attempts if attempt.refusal})
    return (
        f"{document.file}: {document.trace.rows} rows, {document.rows} of them replayed from {start} on",
        *bad_cell_lines(document.trace),
        *lines_without_value(document.trace),
        f"training runs: {len(document.attempts)}; {promoted} of their models served",
        *(Line(("  ", Toned("refused", "caution"), f": {refusal}")) for refusal in refusals[:LISTED_REFUSALS]),
        *_comparison_skips(document.attempts),
        *(() if promoted else ("  the pretrained model served throughout",)),
    )


def _comparison_skips(attempts: Sequence[BacktestAttempt]) -> list[str]:
    """Return one line per reason why candidates were not compared with the serving model."""
    skips = Counter(attempt.comparison_skip for attempt in attempts if attempt.comparison_skip is not None)
    return [f"  {count} not compared with the incumbent: {skip.message}" for skip, count in skips.items()]


def _scores(document: BacktestDocument) -> tuple[Block, ...]:
    rows = [
        (f"{format_duration(horizon.horizon)} {task} {name}", *score_cells(score))
        for horizon in document.horizons
        for task, scores in (("all", horizon.all), ("onset", horizon.onset))
        for name, score in scores.items()
    ]
    incomplete: list[Block] = [
        f"  {format_duration(horizon.horizon)}: predictions for {format_percent(horizon.predicted_ratio)} of the rows"
        for horizon in document.horizons
        if horizon.predicted_ratio < 1
    ]
    silent = [format_duration(horizon.horizon) for horizon in document.horizons if not horizon.events]
    if silent:
        text = (
            f"no high load in the replayed part within {', '.join(silent)}: nothing can be concluded from its scores"
        )
        incomplete.insert(0, Line(("  ", Toned(text, "caution"))))
    title = heading("scores against the outcomes (onset: only rows at which load was not high)")
    return title, Table(("horizon", *SCORE_COLUMNS), rows), *incomplete


def _anomalies(anomalies: BacktestAnomalies | None) -> tuple[Block, ...]:
    """Return the blocks on anomalies: the number of events, and a table of the LISTED_EVENTS longest events."""
    if anomalies is None:
        return ("anomalies: no detector, because detection is disabled or the history is too short",)
    count = len(anomalies.events)
    # A rate extrapolated from less than a day would be meaningless.
    monthly = f", {count * 30 / anomalies.days:.1f} in 30" if anomalies.days >= 1 else ""
    title = heading(f"anomalies: {count} in {anomalies.days:.1f} days{monthly}")
    longest = sorted(anomalies.events, key=lambda event: event.started_at - event.ended_at)[:LISTED_EVENTS]
    rows = [
        (
            format_time(event.started_at),
            approximate_duration(event.ended_at - event.started_at),
            event.channel,
            contribution_text(event.contributions),
        )
        for event in longest
    ]
    return (title, Table(EVENT_HEADER, rows, words={"start", "channel", "metrics"})) if rows else (title,)
