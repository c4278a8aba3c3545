"""Capacity scores of the score report: predictions of exhausted capacity against their outcomes."""

from __future__ import annotations

from monitor.documents.scores import CapacityScoresDocument
from monitor.queries.capacity import MODEL, CapacityScore
from monitor.reports.blocks import Block, Cell, Line, Table, Toned, heading, toned_skill
from monitor.system.formatting import format_duration, format_number

HEADER = ("resource", "scored", "passed", "unknown", "Brier", "skill", "calibration error")

TITLE = "predictions of full file systems and exhausted memory, next to baselines"


def capacity_score_blocks(capacity: CapacityScoresDocument | None, since: str) -> tuple[Block, ...]:
    """Return the table of scores, with a line for each kind of resource whose scores are not conclusive.

    Args:
        capacity: scores; None if capacity is not predicted, which gives no blocks.
        since: start of the period as text.
    """
    if capacity is None:
        return ()
    if not capacity.scores:
        waiting = "an outcome is known once the horizon has passed"
        return ("", f"no capacity prediction made since {since} has been scored yet: {waiting}")
    rows = [_row(score) for score in capacity.scores if score.brier is not None]
    table = (Table(HEADER, rows),) if rows else ()
    models = [score for score in capacity.scores if score.predictor == MODEL]
    notes = [note for score in models if (note := _note(score, capacity.outcomes_needed)) is not None]
    return ("", heading(TITLE), *table, *notes)


def _row(score: CapacityScore) -> tuple[Cell, ...]:
    return (
        f"{_name(score)} {score.predictor}",
        str(score.scored),
        str(score.events),
        str(score.unknown),
        format_number(score.brier, 4),
        toned_skill(score.skill),
        format_number(score.calibration_error),
    )


def _note(score: CapacityScore, needed: int) -> Line | None:
    """Return the reason why nothing can be concluded from the scores of a kind of resource; None if it can."""
    if score.brier is None:
        text = f"{_name(score)}: {score.scored} of {needed} outcomes, not enough data yet"
    elif not score.events:
        text = f"{_name(score)}: no limit was passed: nothing can be concluded from its scores"
    else:
        return None
    return Line((Toned(text, "caution"),))


def _name(score: CapacityScore) -> str:
    return f"{score.kind} {format_duration(score.horizon)}"
