"""Parts of the training report: task, epochs, gradients, scores, inputs, detector."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from model.errors import SkipReason
from model.nn.diagnostics.gradient_health import GradientState
from monitor.system.json_codec import DecodeError


@dataclass(frozen=True)
class ForecastTask:
    """Forecasting task that a model was fitted or configured for.

    Attributes:
        rules: high-load rules, each a tuple of (metric, bound); a bound is a number or a percentile such as "p95".
        sustained: seconds for which a rule has to hold.
        horizons: horizons in seconds.
        step: seconds between samples; None except for a pretrained model.
        precision: target precision of warnings; None except for a pretrained model.
    """

    rules: tuple[tuple[tuple[str, float | str], ...], ...]
    sustained: float
    horizons: tuple[float, ...]
    step: float | None = None
    precision: float | None = None


@dataclass(frozen=True)
class EpochReport:
    """Losses and gradient norm of one epoch.

    Attributes:
        number: 1 for the first epoch.
        train_loss: mean cross-entropy of the training rows in nats.
        validation_loss: mean cross-entropy of the validation rows in nats.
        gradient_norm: mean L2 norm of the gradient of all parameters before clipping.
    """

    number: int
    train_loss: float
    validation_loss: float
    gradient_norm: float


@dataclass(frozen=True)
class ParameterReport:
    """Gradient statistics of one parameter.

    Attributes:
        name: layer number and name of the parameter.
        norm: mean L2 norm of the gradient in the last epoch.
        norm_last: L2 norm of the gradient in the last step.
        norm_max: largest L2 norm of the gradient in the training run.
        update_ratio: L2 norm of the update divided by the L2 norm of the parameter, mean of the last epoch.
    """

    name: str
    norm: float
    norm_last: float
    norm_max: float
    update_ratio: float


@dataclass(frozen=True)
class LayerReport:
    """Outputs of one activation layer on the validation rows, or on the training rows if there are none.

    Attributes:
        name: layer number.
        dead_ratio: fraction of units that are inactive (ReLU) or saturated in every row.
        saturation_ratio: fraction of saturated outputs; None for an activation that does not saturate.
        mean: mean output.
        deviation: standard deviation of the outputs.
    """

    name: str
    dead_ratio: float
    saturation_ratio: float | None = None
    mean: float | None = None
    deviation: float | None = None


@dataclass(frozen=True)
class GradientReport:
    """Gradient health of a training run.

    Attributes:
        state: healthy, vanishing or exploding.
        steps: number of optimizer steps.
        clipped_steps: number of steps with a clipped gradient.
        nonfinite_steps: number of steps skipped because the gradient was not finite.
        advice: one sentence per finding.
        parameters: gradient statistics of each parameter.
        layers: outputs of each activation layer.
    """

    state: GradientState
    steps: int
    clipped_steps: int
    nonfinite_steps: int
    advice: tuple[str, ...] = ()
    parameters: tuple[ParameterReport, ...] = ()
    layers: tuple[LayerReport, ...] = ()


@dataclass(frozen=True)
class ScoreReport:
    """Scores of one predictor; None for a score that cannot be computed.

    Attributes:
        brier: Brier score.
        brier_skill: Brier skill over the base rate.
        average_precision: average precision.
        calibration_error: expected calibration error.
    """

    brier: float | None
    brier_skill: float | None
    average_precision: float | None
    calibration_error: float | None


@dataclass(frozen=True)
class ExpertWeights:
    """Blend weights of the experts while load is not high; they sum to 1.

    Attributes:
        network: weight of the networks fitted on the history.
        load_table: weight of the load table.
        pretrained: weight of the pretrained model.
    """

    network: float
    load_table: float
    pretrained: float


@dataclass(frozen=True)
class HorizonReport:
    """Evaluation of the candidate for one horizon.

    Attributes:
        horizon: horizon in seconds.
        base_rate: fraction of the training rows that were followed by high load.
        threshold: probability at which a warning starts; 1 if there are no warnings.
        scores: scores of each predictor on the holdout: "network" is the candidate, the others are baselines.
        blend_weights: weights of the experts.
        events: number of high-load periods in the history, more than the horizon apart; None in older reports.
    """

    horizon: float
    base_rate: float
    threshold: float
    scores: dict[str, ScoreReport]
    blend_weights: ExpertWeights | None = None
    events: int | None = None


@dataclass(frozen=True)
class OmittedHorizon:
    """Configured horizon without networks of this host.

    Attributes:
        horizon: horizon in seconds.
        reason: reason why no network of this host predicts the horizon.
        skip_reason: code of the reason; None in reports of older releases.
        events: number of high-load periods in the history, more than the horizon apart; None in older reports.
        events_needed: number of high-load periods that a model needs; None in older reports.
    """

    horizon: float
    reason: str
    skip_reason: SkipReason | None = None
    events: int | None = None
    events_needed: int | None = None


@dataclass(frozen=True)
class InputDistribution:
    """Training distribution of one metric.

    Attributes:
        edges: inner edges of the bins, increasing.
        frequencies: fraction of the training values in each of the len(edges) + 1 bins.
    """

    edges: tuple[float, ...]
    frequencies: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.frequencies) != len(self.edges) + 1:
            raise DecodeError("frequencies", f"{len(self.frequencies)} for {len(self.edges)} inner edges")


@dataclass(frozen=True)
class DetectorValidationReport:
    """False-alarm check of a detector on the history that it was fitted on.

    Attributes:
        alarms: number of six-hour blocks with an alarm.
        days: number of days checked.
        monthly: alarms per 30 days; None if no day was checked.
        allowed: false-alarm budget in alarms per 30 days.
    """

    alarms: int
    days: int
    monthly: float | None
    allowed: float


class DetectorSkipReason(StrEnum):
    """Reason why a training run produced no new detector."""

    DISABLED = "disabled"
    NOT_DUE = "not_due"
    HISTORY_TOO_SHORT = "history_too_short"
    HISTORY_GAPS = "history_gaps"
    NO_VARIATION = "no_variation"
    TOO_MANY_ALARMS = "too_many_alarms"


@dataclass(frozen=True)
class DetectorReport:
    """Anomaly detector stored with a model, or the reason why there is none.

    Attributes:
        at: time at which the detector was trained, in seconds since the epoch; None if there is no detector.
        metrics: names of the metrics that the detector monitors.
        step: row interval in seconds.
        excluded_share: fraction of the samples that were excluded as incidents or maintenance.
        validation: false-alarm check on the history that the detector was fitted on.
        skip_reason: code of the reason why no new detector was trained; None if one was trained.
        reason: message of `skip_reason`; empty if a new detector was trained.
        kept: True if the detector of the incumbent model stays in use.
    """

    at: float | None = None
    metrics: tuple[str, ...] = ()
    step: float | None = None
    excluded_share: float | None = None
    validation: DetectorValidationReport | None = None
    skip_reason: DetectorSkipReason | None = None
    reason: str = ""
    kept: bool = False
