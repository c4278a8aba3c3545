"""Fallback decisions: recalibration, serving baseline and warning threshold of each horizon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from model.forecast.baselines import CURRENT_VALUE, HOLT_WINTERS, PERSISTENCE
from model.forecast.blend import LoadTable
from model.forecast.calibration import Calibration
from model.forecast.online.recalibration import Recalibration
from model.serving import MODEL, REDUCED_MODEL, Serving, ServingReason

FALLBACK_BASELINES = (CURRENT_VALUE, HOLT_WINTERS)
"""Names of the baselines that may serve in place of a model."""

PREDICTORS = (MODEL, REDUCED_MODEL, PERSISTENCE, *FALLBACK_BASELINES)
"""Names of all predictors that may serve."""


@dataclass(frozen=True)
class FallbackBaseline:
    """Baseline that serves in place of a model.

    Attributes:
        name: one of FALLBACK_BASELINES.
        table: maps the score to log-odds.
        smoothing: index of the smoothing whose Holt-Winters forecast is the score; None for the load index.
    """

    name: str
    table: LoadTable
    smoothing: int | None = None


@dataclass(frozen=True)
class FallbackDecision:
    """Decision for one horizon: what serves, and from which probability on it warns.

    Attributes:
        recalibration: of the model.
        calm: baseline that serves while load is calm; None for the model.
        high: likewise during high load.
        threshold: probability of a warning by recent outcomes; None if there are too few.
    """

    recalibration: Recalibration = field(default_factory=Recalibration)
    calm: FallbackBaseline | None = None
    high: FallbackBaseline | None = None
    threshold: float | None = None

    @property
    def states(self) -> tuple[tuple[Calibration, FallbackBaseline | None], ...]:
        """Calibration and baseline for calm (index 0) and high load (index 1)."""
        return (self.recalibration.calm, self.calm), (self.recalibration.high, self.high)

    def slope(self, *, high: bool) -> float:
        """Return the factor on the model's log-odds; 0 if a baseline serves."""
        calibration, baseline = self.states[high]
        return calibration.slope if baseline is None else 0.0

    def serving(self, *, high: bool, raised: bool = False, outside: Sequence[str] = ()) -> Serving:
        """Return what serves for a sample.

        Args:
            high: True during high load.
            raised: True if the probability is that of the floor during high load.
            outside: metrics outside their training range.
        """
        metrics = tuple(outside)
        baseline = self.states[high][1]
        if baseline is not None and not raised:
            return Serving(baseline.name, ServingReason.BASELINE_MORE_ACCURATE, metrics)
        if metrics:
            reduced = PERSISTENCE if raised else REDUCED_MODEL
            return Serving(reduced, ServingReason.INPUT_OUT_OF_RANGE, metrics)
        if raised:
            return Serving(PERSISTENCE, ServingReason.HIGH_LOAD_FLOOR)
        return Serving()


def fallback_active(decisions: Sequence[FallbackDecision]) -> bool:
    """Return True if a baseline serves at any horizon, in any load state."""
    return any(decision.calm or decision.high for decision in decisions)
