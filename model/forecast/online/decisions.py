"""Fallback decisions: recalibration and serving baseline of each horizon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from model.forecast.baselines import CURRENT_VALUE, HOLT_WINTERS, PERSISTENCE
from model.forecast.blend import LoadTable
from model.forecast.calibration import Calibration
from model.forecast.online.recalibration import Recalibration
from model.serving import MODEL, PRETRAINED_MODEL, REDUCED_MODEL, Serving, ServingReason

FALLBACK_BASELINES = (CURRENT_VALUE, HOLT_WINTERS)
"""Names of the baselines that may serve in place of a model."""

PREDICTORS = (MODEL, REDUCED_MODEL, PRETRAINED_MODEL, PERSISTENCE, *FALLBACK_BASELINES)
"""Names of all predictors that may serve."""


@dataclass(frozen=True)
class FallbackBaseline:
    """Baseline that serves in place of a model.

    Attributes:
        name: one of FALLBACK_BASELINES.
        table: mapping from the score of the baseline to log-odds.
        smoothing: index in SMOOTHINGS of the Holt-Winters forecast that is the score; None if the score is the load
            index.
    """

    name: str
    table: LoadTable
    smoothing: int | None = None


@dataclass(frozen=True)
class FallbackDecision:
    """Fallback decision for one horizon: recalibration and serving baselines.

    Attributes:
        recalibration: Platt scaling of the model's log-odds in each load state.
        calm: baseline that serves while load is calm; None if the model serves.
        high: baseline that serves during high load; None if the model serves.
    """

    recalibration: Recalibration = field(default_factory=Recalibration)
    calm: FallbackBaseline | None = None
    high: FallbackBaseline | None = None

    @property
    def states(self) -> tuple[tuple[Calibration, FallbackBaseline | None], ...]:
        """Calibration and serving baseline for calm (index 0) and high load (index 1)."""
        return (self.recalibration.calm, self.calm), (self.recalibration.high, self.high)

    def slope(self, *, high: bool) -> float:
        """Return the recalibration slope, which multiplies the model's log-odds; 0 if a baseline serves."""
        calibration, baseline = self.states[high]
        return calibration.slope if baseline is None else 0.0

    def serving(
        self,
        *,
        high: bool,
        raised: bool = False,
        outside: Sequence[str] = (),
        pretrained: ServingReason | None = None,
    ) -> Serving:
        """Return the serving predictor for a sample, with the reason.

        Args:
            high: True during high load.
            raised: True if the high-load floor raised the probability.
            outside: names of the metrics outside their training range.
            pretrained: reason why the pretrained model predicts the horizon alone; None if it does not.
        """
        metrics = tuple(outside)
        baseline = self.states[high][1]
        if baseline is not None and not raised:
            return Serving(baseline.name, ServingReason.BASELINE_MORE_ACCURATE, metrics)
        if pretrained is not None and not raised:
            return Serving(PRETRAINED_MODEL, pretrained, metrics)
        if metrics:
            reduced = PERSISTENCE if raised else REDUCED_MODEL
            return Serving(reduced, ServingReason.INPUT_OUT_OF_RANGE, metrics)
        if raised:
            return Serving(PERSISTENCE, ServingReason.HIGH_LOAD_FLOOR)
        return Serving()


def fallback_active(decisions: Sequence[FallbackDecision]) -> bool:
    """Return True if a baseline serves at any horizon, in any load state."""
    return any(decision.calm or decision.high for decision in decisions)
