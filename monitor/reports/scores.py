"""Score report: predictions against outcomes, with reliability tables."""

from __future__ import annotations

from collections.abc import Sequence

from model.units import DAY
from monitor.documents.anomalies import AnomalyCountDocument, WarningDocument
from monitor.documents.scores import (
    EventScoreDocument,
    HorizonScoreDocument,
    ScorecardDocument,
    ScoreReportDocument,
)
from monitor.reports.anomalies import process_text
from monitor.reports.blocks import Bar, Block, Cell, Line, Report, Table, Toned, heading, toned_skill
from monitor.reports.capacity import capacity_score_blocks
from monitor.system.formatting import approximate_duration, format_number, format_percent, format_time

HEADER = (
    "horizon", "scored", "unknown", "base rate", "Brier", "skill", "over persistence", "onset skill", "precision",
    "recall",
)  # fmt: skip

RELIABILITY_HEADER = ("predicted", "observed", "predictions", "")

SCORECARD_HEADER = ("horizon", "announced", "lead time", "quartiles", "false warnings", "per week")

WARNING_HEADER = ("start", "horizon", "probability", "processes")

LISTED_WARNINGS = 10
"""Largest number of warnings in the table."""


def score_report(document: ScoreReportDocument) -> Report:
    """Return scores, reliability tables, number of anomalies, scores of capacity predictions, and warnings."""
    since = format_time(document.since)
    counts = _anomaly_counts(document.anomalies)
    if document.horizons:
        title = heading(f"predictions made since {since}, against the outcomes")
        live: tuple[Block, ...] = (title, *_scores(document.horizons, document.scorecard))
    else:
        waiting = "an outcome is known once the horizon has passed"
        live = (f"no prediction made since {since} has been scored yet: {waiting}",)
    capacity = capacity_score_blocks(document.capacity, since)
    return Report((*live, *_replayed(document, since), counts, *capacity, *_warnings(document.warnings)))


def scorecard_blocks(scorecard: ScorecardDocument) -> tuple[Block, ...]:
    """Return the event scorecard: a row for each horizon and predictor, and a line for horizons without baselines."""
    predictors = {score.predictor for horizon in scorecard.horizons for score in horizon.scores}
    has_baselines = len(predictors) > 1
    baselines = "; baselines with a threshold for as many false warnings" if has_baselines else ""
    title = f"announced high-load periods{baselines}"
    rows = [_event_row("any", scorecard.any_horizon)]
    for horizon in scorecard.horizons:
        rows += [_event_row(f"{horizon.horizon_name} {score.predictor}", score) for score in horizon.scores]
    few = [horizon.horizon_name for horizon in scorecard.horizons if not horizon.enough_periods]
    text = f"{', '.join(few)}: fewer than {scorecard.periods_needed} high-load periods started, not enough data yet"
    missing = (Line((Toned(text, "caution"),)),) if few else ()
    return (heading(title), Table(SCORECARD_HEADER, rows), *missing)


def _event_row(name: str, score: EventScoreDocument) -> tuple[Cell, ...]:
    quartiles = score.lead_time_quartiles
    return (
        name,
        f"{score.announced} of {score.periods}",
        "-" if score.lead_time is None else approximate_duration(score.lead_time),
        "-" if quartiles is None else " to ".join(map(approximate_duration, quartiles)),
        "-" if score.false_warnings is None else str(score.false_warnings),
        format_number(score.false_warnings_per_week, 1),
    )


def _replayed(document: ScoreReportDocument, since: str) -> tuple[Block, ...]:
    """Return the scores of replayed predictions; empty if there are none."""
    horizons = document.replayed
    if not horizons:
        return ()
    title = heading(f"replayed predictions since {since}, by models fitted without these outcomes")
    return ("", title, *_scores(horizons, document.replayed_scorecard), "")


def _scores(horizons: Sequence[HorizonScoreDocument], scorecard: ScorecardDocument) -> tuple[Block, ...]:
    rows = [_row(score) for score in horizons]
    reliability = (block for score in horizons if score.scored for block in _reliability(score))
    table = Table(HEADER, rows)
    return (table, *_without_high_load(horizons), "", *scorecard_blocks(scorecard), *reliability)


def _without_high_load(horizons: Sequence[HorizonScoreDocument]) -> tuple[Block, ...]:
    """Return a line that names the horizons for which no outcome was high load; empty if there are none."""
    silent = [score.horizon_name for score in horizons if score.scored and not score.base_rate]
    if not silent:
        return ()
    text = (
        f"no high load within {', '.join(silent)} of any scored prediction: nothing can be concluded from its scores"
    )
    return (Line((Toned(text, "caution"),)),)


def _row(score: HorizonScoreDocument) -> tuple[Cell, ...]:
    return (
        score.horizon_name,
        str(score.scored),
        str(score.unknown),
        format_percent(score.base_rate),
        format_number(score.brier, 4),
        toned_skill(score.skill),
        toned_skill(score.skill_over_persistence),
        toned_skill(score.onset_skill),
        format_percent(score.precision),
        format_percent(score.recall),
    )


def _reliability(score: HorizonScoreDocument) -> tuple[Block, ...]:
    error = format_number(score.calibration_error)
    rows = [
        (format_percent(row.predicted), format_percent(row.observed), str(row.scored), Bar(row.observed))
        for row in score.reliability
    ]
    title = heading(f"{score.horizon_name}: predicted and observed frequency (calibration error {error})")
    return "", title, Table(RELIABILITY_HEADER, rows)


def _warnings(warnings: Sequence[WarningDocument]) -> tuple[Block, ...]:
    """Return a table of the LISTED_WARNINGS newest warnings; empty if there are none."""
    rows = [
        (
            format_time(warning.started_at),
            warning.horizon_name,
            format_percent(warning.probability),
            process_text(warning.processes),
        )
        for warning in warnings[:LISTED_WARNINGS]
    ]
    table = Table(WARNING_HEADER, rows, words=WARNING_HEADER)
    return ("", heading("newest warnings, with the processes that used most processor time"), table) if rows else ()


def _anomaly_counts(counts: AnomalyCountDocument) -> str:
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in counts.verdicts.items() if number)
    by_verdict = f" (by verdict: {verdicts})" if verdicts else ""
    replayed = f", and {counts.replayed} replayed" if counts.replayed else ""
    return (
        f"anomalies: {counts.anomalies} in the last {approximate_duration(counts.days * DAY)}{by_verdict}{replayed}; "
        f"{counts.allowed:g} false alarms are allowed in 30 days"
    )
