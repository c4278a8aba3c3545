"""Source statistics: queries, failures and irregular answers since the start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitor.fleet.source.answers import AnswerNotes


@dataclass(frozen=True)
class FieldOutcome:
    """Outcome of the queries of one field.

    Attributes:
        name: sample field.
        error: message of a failed query; empty after a success.
        notes: irregularities of the answer.
        rejected: number of values outside the bounds of the field.
    """

    name: str
    error: str = ""
    notes: AnswerNotes = field(default_factory=AnswerNotes)
    rejected: int = 0


@dataclass(frozen=True)
class SourceStatistics:
    """Counts since the start, and the state after the last step.

    Attributes:
        queries: number of queries by field.
        failures: number of failed queries by field.
        rejected: number of values outside the bounds, by field.
        duplicates: number of values left out because a host had several series.
        ignored: number of series without the host label, or with an invalid name.
        partial: number of partial answers that were accepted.
        warnings: number of answers with warnings.
        hosts: number of hosts with values at the last step.
        duration: seconds that the last step took, without its delay.
        errors: message of the last query of each field, of those that failed.
        duplicate_labels: labels of two series of each host that has several, after the last step.
        last_warnings: distinct warnings of the last step.
    """

    queries: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    ignored: int = 0
    partial: int = 0
    warnings: int = 0
    hosts: int = 0
    duration: float = 0.0
    errors: Mapping[str, str] = field(default_factory=dict)
    duplicate_labels: Mapping[str, str] = field(default_factory=dict)
    last_warnings: tuple[str, ...] = ()

    def with_outcomes(self, outcomes: Sequence[FieldOutcome]) -> SourceStatistics:
        """Return the statistics after one more query of each field."""
        notes = [outcome.notes for outcome in outcomes]
        return replace(
            self,
            queries=_sum(self.queries, {outcome.name: 1 for outcome in outcomes}),
            failures=_sum(self.failures, {outcome.name: 1 for outcome in outcomes if outcome.error}),
            rejected=_sum(self.rejected, {outcome.name: outcome.rejected for outcome in outcomes}),
            duplicates=self.duplicates + sum(len(note.duplicates) for note in notes),
            ignored=self.ignored + sum(note.ignored for note in notes),
            partial=self.partial + sum(note.is_partial for note in notes),
            warnings=self.warnings + sum(bool(note.warnings) for note in notes),
            errors={outcome.name: outcome.error for outcome in outcomes if outcome.error},
            duplicate_labels=dict(entry for note in notes for entry in note.duplicates),
            last_warnings=tuple(dict.fromkeys(warning for note in notes for warning in note.warnings)),
        )


def _sum(counts: Mapping[str, int], increases: Mapping[str, int]) -> Mapping[str, int]:
    total = Counter(counts)
    total.update({name: count for name, count in increases.items() if count})
    return dict(total)
