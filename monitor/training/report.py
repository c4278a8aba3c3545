"""Training report: versioned, typed result of a training run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum

from model.errors import SkipReason
from model.training.refusal import ComparisonSkip, RefusalReason
from monitor.system.json_codec import DecodeError, JsonValue, from_plain, to_json, to_plain
from monitor.training.report_migration import UNVERSIONED, VERSION, migrate
from monitor.training.report_parts import (
    DetectorReport,
    EpochReport,
    ForecastTask,
    GradientReport,
    HorizonReport,
    InputDistribution,
    OmittedHorizon,
)

MODEL_SCORES = "network"
"""Key of the model's own scores; the other keys are names of baselines."""


class ReportProblem(StrEnum):
    """Reason why a stored report cannot be used."""

    DAMAGED = "damaged"
    NOT_JSON = "not_json"
    NEWER_VERSION = "newer_version"
    WRONG_TYPE = "wrong_type"

    @property
    def message(self) -> str:
        """Explanation of the reason, for messages."""
        return _PROBLEM_MESSAGES[self]


_PROBLEM_MESSAGES = {
    ReportProblem.DAMAGED: "its checksum does not match",
    ReportProblem.NOT_JSON: "not JSON",
    ReportProblem.NEWER_VERSION: "written by a newer release",
    ReportProblem.WRONG_TYPE: "not a training report",
}


class ReportError(ValueError):
    """Raised if a stored training report cannot be used; `problem` is the reason."""

    def __init__(self, problem: ReportProblem, detail: str) -> None:
        super().__init__(f"{problem.message}: {detail}")
        self.problem = problem


@dataclass(frozen=True)
class TrainingReport:
    """Result of one training run.

    A report without `health` belongs to a pretrained model, or to a run that ended before a network was fitted.

    Attributes:
        from_: time of the first sample in seconds since the epoch.
        to: time of the last sample in seconds since the epoch.
        samples: number of samples.
        version: version of the stored form.
        pretrained: task of a pretrained model; None for other models.
        task: configured task, with unresolved percentile bounds; None for a pretrained model, or if no network was
            fitted.
        rows: number of training rows.
        features: number of features.
        rules: high-load rules, each a mapping of metrics to resolved bounds.
        sustained: seconds for which a rule has to hold.
        seconds: duration of the training run in seconds.
        peak_memory_bytes: peak resident memory of the training process in bytes.
        epochs: mean losses of the ensemble in each epoch.
        kept_epoch: number of the epoch whose weights were kept, starting at 1.
        health: gradient health.
        folds: number of folds of the holdout, each predicted by a model fitted on the samples before it; None for a
            report without scores.
        horizons: scores for each horizon.
        left_out: configured horizons without networks of this host.
        pretrained_horizons: horizons of `left_out`, in seconds, that the pretrained model predicts alone; the others
            have no predictions.
        inputs: training distribution of each input metric, the reference for input drift.
        detector: anomaly detector; None if the training run did not consider one.
        refusal_reason: rule of the gate that the candidate failed; None if it passed.
        comparison_skip: reason why the gate did not compare the candidate with the incumbent; None if the gate
            compared them, or if there is no incumbent.
        skip_reason: reason why no network was fitted.
        imported_from: name of the host that trained an imported model; None for other models.
        imported_at: time of the import in seconds since the epoch; None for other models.
    """

    from_: float
    to: float
    samples: int
    version: int = VERSION
    pretrained: ForecastTask | None = None
    task: ForecastTask | None = None
    rows: int = 0
    features: int = 0
    rules: tuple[dict[str, float], ...] = ()
    sustained: float | None = None
    seconds: float | None = None
    peak_memory_bytes: int | None = None
    epochs: tuple[EpochReport, ...] = ()
    kept_epoch: int | None = None
    health: GradientReport | None = None
    folds: int | None = None
    horizons: tuple[HorizonReport, ...] = ()
    left_out: tuple[OmittedHorizon, ...] = ()
    pretrained_horizons: tuple[float, ...] = ()
    inputs: dict[str, InputDistribution] = field(default_factory=dict)
    detector: DetectorReport | None = None
    refusal_reason: RefusalReason | None = None
    comparison_skip: ComparisonSkip | None = None
    skip_reason: SkipReason | None = None
    imported_from: str | None = None
    imported_at: float | None = None

    def __post_init__(self) -> None:
        if self.health is not None and self.kept_epoch is None:
            raise DecodeError("kept_epoch", "missing")
        if self.kept_epoch is not None and not 1 <= self.kept_epoch <= len(self.epochs):
            raise DecodeError("kept_epoch", f"{self.kept_epoch} is not one of {len(self.epochs)} epochs")

    @property
    def kept(self) -> EpochReport | None:
        """Losses of the epoch whose weights were kept; None if no network was fitted."""
        return None if self.kept_epoch is None else self.epochs[self.kept_epoch - 1]

    def to_plain(self) -> dict[str, JsonValue]:
        """Return the report as plain JSON data."""
        plain = to_plain(self)
        if not isinstance(plain, dict):
            raise TypeError("a dataclass has an object as its JSON form")
        return plain

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return to_json(self)

    @classmethod
    def from_plain(cls, data: object) -> TrainingReport:
        """Decode a report from plain JSON data; the form of older releases is migrated.

        Raises:
            ReportError: the report was written by a newer release, or a value has the wrong type.
        """
        if not isinstance(data, dict):
            raise ReportError(ReportProblem.WRONG_TYPE, f"expected an object, got {type(data).__name__}")
        version = data.get("version", UNVERSIONED)
        if not isinstance(version, int):
            raise ReportError(ReportProblem.WRONG_TYPE, f"version: expected an integer, got {version!r:.60}")
        if version > VERSION:
            raise ReportError(ReportProblem.NEWER_VERSION, f"version {version}, this release reads up to {VERSION}")
        try:
            return from_plain(cls, migrate(data, version))
        except DecodeError as error:
            raise ReportError(ReportProblem.WRONG_TYPE, str(error)) from error

    @classmethod
    def from_json(cls, text: str) -> TrainingReport:
        """Decode a report from JSON text; the form of older releases is migrated.

        Raises:
            ReportError: the text is not JSON, was written by a newer release, or a value has the wrong type.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ReportError(ReportProblem.NOT_JSON, str(error)) from error
        return cls.from_plain(data)
