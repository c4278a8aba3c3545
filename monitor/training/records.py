"""Registry records: stored models and training runs with their typed reports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from monitor.stores import Stores
from monitor.training.report import ReportError, ReportProblem, TrainingReport
from storage import ModelRecord, StorageError, StorageErrorKind, TrainingOutcome, TrainingRun

NO_REPORT = "{}"
"""Stored form of a record without a report."""

REPORTS_KEPT = 8
"""Number of decoded reports kept in memory: those of the serving model and of the last runs are read repeatedly."""


@dataclass(frozen=True)
class RegisteredModel:
    """Registered model without its serialized form.

    Attributes:
        id: ID in the registry.
        created_at: time at which the model was trained, in seconds since the epoch.
        sha256: SHA-256 checksum of the serialized form.
        size: size of the serialized form in bytes.
        report: training report; None if there is none, or if it cannot be used.
        promoted_at: time of the last promotion in seconds since the epoch; None if the model was never promoted.
        report_problem: reason why the report cannot be used; None if it can be used, or if there is no report.
    """

    id: int
    created_at: float
    sha256: str
    size: int
    report: TrainingReport | None
    promoted_at: float | None
    report_problem: ReportProblem | None = None

    @property
    def pretrained(self) -> bool:
        """True for the pretrained model, which is not fitted on this host's history."""
        return self.report is not None and self.report.pretrained is not None

    @property
    def imported_from(self) -> str | None:
        """Name of the host that trained an imported model; None for other models."""
        return None if self.report is None else self.report.imported_from

    @property
    def pretrained_horizons(self) -> tuple[float, ...]:
        """Horizons in seconds that the pretrained model predicts alone within a model fitted on a host."""
        return () if self.report is None else self.report.pretrained_horizons

    @property
    def trained_until(self) -> float:
        """Time of the last training sample in seconds since the epoch; `created_at` if there is no usable report."""
        return self.created_at if self.report is None else self.report.to


@dataclass(frozen=True)
class CompletedRun:
    """One training run with its typed report.

    Attributes:
        started_at: seconds since the epoch.
        finished_at: seconds since the epoch.
        outcome: result of the run.
        reason: reason why no model was promoted; after a forced promotion, the overridden refusal; else empty.
        model_id: ID of the candidate; None if none was registered.
        report: training report; None if the run wrote no report, or if the report cannot be used.
        id: ID of the run; 0 before it is stored.
        report_problem: reason why the report cannot be used; None if it can be used, or if there is no report.
    """

    started_at: float
    finished_at: float
    outcome: TrainingOutcome
    reason: str
    model_id: int | None
    report: TrainingReport | None
    id: int = 0
    report_problem: ReportProblem | None = None


def registered_model(record: ModelRecord) -> RegisteredModel:
    """Convert a storage record to a registered model, with the report decoded from JSON."""
    report, problem = _read(record.report_json)
    return RegisteredModel(
        id=record.id,
        created_at=record.created_at,
        sha256=record.sha256,
        size=record.size,
        report=report,
        promoted_at=record.promoted_at,
        report_problem=problem,
    )


def completed_run(run: TrainingRun) -> CompletedRun:
    """Convert a storage record to a completed run, with the report decoded from JSON."""
    report, problem = _read(run.report_json)
    return CompletedRun(
        started_at=run.started_at,
        finished_at=run.finished_at,
        outcome=run.outcome,
        reason=run.reason,
        model_id=run.model_id,
        report=report,
        id=run.id,
        report_problem=problem,
    )


def stored_run(run: CompletedRun) -> TrainingRun:
    """Convert a completed run to a storage record, with the report encoded as JSON."""
    return TrainingRun(
        started_at=run.started_at,
        finished_at=run.finished_at,
        outcome=run.outcome,
        reason=run.reason,
        model_id=run.model_id,
        report_json=NO_REPORT if run.report is None else run.report.to_json(),
        id=run.id,
    )


def read_model(stores: Stores, model_id: int) -> RegisteredModel:
    """Read the record of a model, without its serialized form.

    Raises:
        UnknownModelError: the registry has no such model.
        StorageError: the database cannot be read.
    """
    return registered_model(stores.registry.record(model_id))


def read_active_model(stores: Stores) -> RegisteredModel | None:
    """Read the record of the serving model, without its serialized form; None if no model serves or it is damaged.

    Raises:
        StorageError: the database cannot be read.
    """
    active = stores.registry.active_id()
    return None if active is None else read_usable_model(stores, active)


def read_usable_model(stores: Stores, model_id: int) -> RegisteredModel | None:
    """Read the record of a model, without its serialized form; None if it is damaged or missing.

    Raises:
        StorageError: the database cannot be read.
    """
    try:
        return read_model(stores, model_id)
    except StorageError as error:
        if error.kind in (StorageErrorKind.MODEL_DAMAGED, StorageErrorKind.UNKNOWN_MODEL):
            return None
        raise


@lru_cache(maxsize=REPORTS_KEPT)
def _read(stored: str | None) -> tuple[TrainingReport | None, ReportProblem | None]:
    """Return the report of a stored record, or the reason why it cannot be used; both None if it is NO_REPORT."""
    if stored is None:
        return None, ReportProblem.DAMAGED
    if stored == NO_REPORT:
        return None, None
    try:
        return TrainingReport.from_json(stored), None
    except ReportError as error:
        return None, error.problem
