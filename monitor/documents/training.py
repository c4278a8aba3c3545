"""Training documents: JSON form of training runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.training.records import CompletedRun
from monitor.training.report import ReportProblem, TrainingReport
from storage import TrainingOutcome

if TYPE_CHECKING:
    # Imports the training pipeline, which `monitor status` does not need.
    from monitor.training.retrain import RetrainResult


@dataclass(frozen=True)
class RunSummary:
    """One training run; a part of the status.

    Attributes:
        id: ID of the run.
        started_at: seconds since the epoch.
        finished_at: seconds since the epoch.
        outcome: promoted, refused, skipped or failed.
        reason: reason why no model was promoted; after a forced promotion, the overridden refusal; else empty.
        model_id: ID of the candidate; None if none was registered.
    """

    id: int
    started_at: float
    finished_at: float
    outcome: TrainingOutcome
    reason: str
    model_id: int | None


@dataclass(frozen=True)
class RunDocument(RunSummary):
    """One training run with its report, as served by /api/v1/training.

    Attributes:
        report: training report; None if the run failed early, or if the report cannot be used.
        report_problem: reason why the report cannot be used; None if it can be used, or if there is no report.
    """

    report: TrainingReport | None
    report_problem: ReportProblem | None


@dataclass(frozen=True)
class ReplayDocument:
    """Records that a training run stored for history without live predictions; a part of `monitor retrain`.

    Attributes:
        predictions: number of predictions stored.
        anomalies: number of anomaly events stored.
    """

    predictions: int
    anomalies: int


@dataclass(frozen=True)
class RetrainDocument:
    """Result of `monitor retrain`.

    Attributes:
        outcome: promoted, refused, skipped or failed; for a dry run, the outcome that a real run would have.
        reason: reason why no model was promoted; after a forced promotion, the overridden refusal; else empty.
        model_id: ID of the candidate; None if none was registered.
        dry_run: True if nothing was registered.
        report: training report; None if the run failed early.
        replayed: replay of the history; None if there was no replay or it failed.
    """

    outcome: TrainingOutcome
    reason: str
    model_id: int | None
    dry_run: bool
    report: TrainingReport | None
    replayed: ReplayDocument | None = None


def run_summary(run: CompletedRun) -> RunSummary:
    """Convert a training run to its JSON summary."""
    return RunSummary(
        id=run.id,
        started_at=run.started_at,
        finished_at=run.finished_at,
        outcome=run.outcome,
        reason=run.reason,
        model_id=run.model_id,
    )


def run_document(run: CompletedRun) -> RunDocument:
    """Convert a training run to its JSON document, including the training report."""
    return RunDocument(
        id=run.id,
        started_at=run.started_at,
        finished_at=run.finished_at,
        outcome=run.outcome,
        reason=run.reason,
        model_id=run.model_id,
        report=run.report,
        report_problem=run.report_problem,
    )


def retrain_document(result: RetrainResult, *, dry_run: bool) -> RetrainDocument:
    """Convert the result of a retraining to its JSON document."""
    replayed = result.replayed
    return RetrainDocument(
        outcome=result.outcome,
        reason=result.reason,
        model_id=result.model_id,
        dry_run=dry_run,
        report=result.report,
        replayed=None if replayed is None else ReplayDocument(replayed.predictions, replayed.anomalies),
    )


@dataclass(frozen=True)
class PoolComparisonDocument:
    """Scores of a pooled model next to the shipped one, on the newest part of each host; null if not computed.

    Attributes:
        hosts: number of hosts with both outcomes.
        brier: Brier score of the pooled model, mean over the hosts.
        shipped_brier: the same for the shipped model.
        precision: average precision at onset of the pooled model, mean over the hosts.
        shipped_precision: the same for the shipped model.
    """

    hosts: int
    brier: float | None
    shipped_brier: float | None
    precision: float | None
    shipped_precision: float | None


@dataclass(frozen=True)
class FleetRetrainingDocument:
    """Result of `monitor retrain --all` or `--host`.

    Attributes:
        pooled: scores of the new pooled model; null if none was trained.
        pooled_promoted: True if the pooled model serves from the next step on.
        pooled_hosts: number of hosts that the pooled model was trained on.
        trained: number of hosts with a new own model.
        refused: number of hosts without a new own model, by the code of the reason.
    """

    pooled: PoolComparisonDocument | None
    pooled_promoted: bool
    pooled_hosts: int
    trained: int
    refused: dict[str, int]
