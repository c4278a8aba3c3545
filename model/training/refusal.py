"""Gate refusals: reasons with figures, and reasons why candidate and incumbent are not compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

INCUMBENT = "the incumbent"
"""Name of the serving model as the reference of a refusal."""


class RefusalReason(StrEnum):
    """Reason why the gate refuses a candidate."""

    MISSING_HORIZON = "missing_horizon"
    NOT_BETTER_THAN_BASELINE = "not_better_than_baseline"
    WORSE_THAN_INCUMBENT = "worse_than_incumbent"
    LOWER_RANKING = "lower_ranking"
    LOW_SKILL = "low_skill"

    @property
    def template(self) -> str:
        """Format string of the message, with the fields of `Refusal`."""
        return _TEMPLATES[self]


_TEMPLATES = {
    RefusalReason.MISSING_HORIZON: "it cannot be judged at a horizon of the incumbent: {detail}",
    RefusalReason.NOT_BETTER_THAN_BASELINE: (
        "it is not better than {reference} (mean Brier score {candidate:.4f} against {other:.4f})"
    ),
    RefusalReason.WORSE_THAN_INCUMBENT: (
        "it is worse than {reference} (mean Brier score {candidate:.4f} against {other:.4f}, "
        "difference {difference:+.4f}, allowed {allowed:.4f})"
    ),
    RefusalReason.LOWER_RANKING: (
        "it ranks worse than {reference} (average precision {difference:+.3f}, allowed {allowed:.3f})"
    ),
    RefusalReason.LOW_SKILL: (
        "its Brier skill over climatology is {candidate:.3f}, gate.min_skill requires {allowed:g}"
    ),
}


class ComparisonSkip(StrEnum):
    """Reason why the gate does not compare a candidate with the incumbent."""

    OTHER_METRICS = "other_metrics"
    NO_COMMON_HORIZON = "no_common_horizon"
    NO_UNSEEN_EVENT = "no_unseen_event"

    @property
    def message(self) -> str:
        """Clause for messages, whose subject "it" is the incumbent."""
        return _SKIP_MESSAGES[self]


_SKIP_MESSAGES = {
    ComparisonSkip.OTHER_METRICS: "it has other metrics",
    ComparisonSkip.NO_COMMON_HORIZON: "it predicts other horizons",
    ComparisonSkip.NO_UNSEEN_EVENT: "its holdout model was fitted on all high load of the holdout",
}


@dataclass(frozen=True)
class Refusal:
    """Refusal of a candidate by the gate; figures that the reason does not use are NaN.

    Attributes:
        reason: condition that the candidate failed.
        reference: name of the baseline, or INCUMBENT; empty for MISSING_HORIZON.
        candidate: Brier score, or Brier skill, of the candidate.
        other: Brier score of the reference.
        difference: candidate minus reference, in Brier score or average precision.
        allowed: limit of the difference, or smallest skill.
        detail: reason why the candidate lacks a horizon of the incumbent; empty for other refusals.
    """

    reason: RefusalReason
    reference: str = ""
    candidate: float = float("nan")
    other: float = float("nan")
    difference: float = float("nan")
    allowed: float = float("nan")
    detail: str = ""

    @property
    def message(self) -> str:
        """Clause with the figures, whose subject "it" is the candidate."""
        return self.reason.template.format(**vars(self))

    def __str__(self) -> str:
        return self.message
