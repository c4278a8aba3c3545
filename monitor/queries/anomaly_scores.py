"""Anomaly scores: recent output of the online detector, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from model.array_types import Floats


def _empty() -> Floats:
    return np.empty(0)


@dataclass(frozen=True)
class AnomalyScores:
    """Output of the online detector for consecutive rows.

    Attributes:
        times: (rows,) seconds since the epoch, increasing.
        scores: (rows,) anomaly scores.
        evidence_ratios: (rows,) largest ratio of a detector channel to its alarm threshold; 1 or more is an alarm.
    """

    times: Floats = field(default_factory=_empty)
    scores: Floats = field(default_factory=_empty)
    evidence_ratios: Floats = field(default_factory=_empty)

    def append(self, at: float, score: float, evidence_ratio: float) -> AnomalyScores:
        """Return a copy with one more row, at `at` (seconds since the epoch)."""
        return AnomalyScores(
            times=np.append(self.times, at),
            scores=np.append(self.scores, score),
            evidence_ratios=np.append(self.evidence_ratios, evidence_ratio),
        )

    def after(self, start: float) -> AnomalyScores:
        """Return the rows after `start` (seconds since the epoch)."""
        rows = self.times > start
        return AnomalyScores(self.times[rows], self.scores[rows], self.evidence_ratios[rows])
