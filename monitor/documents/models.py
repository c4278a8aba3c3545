"""Model documents: JSON form of the model registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.training.records import RegisteredModel
from monitor.training.report import ReportProblem, TrainingReport
from storage import ModelPart, QuarantinedModel

if TYPE_CHECKING:
    # Imports the forecasting model, which `monitor models list` does not need.
    from monitor.training.model_archive import ImportResult


@dataclass(frozen=True)
class ModelSummary:
    """One registered model; a part of the status.

    Attributes:
        id: ID in the registry.
        created_at: time of the training run in seconds since the epoch.
        sha256: SHA-256 checksum of the stored model.
        size: size of the stored model in bytes.
        promoted_at: time of the last promotion in seconds since the epoch; None if the model was never promoted.
        pretrained: True for the pretrained model, which was not fitted on this host's history.
        imported_from: name of the host that trained an imported model; None for other models.
        pretrained_horizons: horizons in seconds that the pretrained model predicts alone within a fitted model.
    """

    id: int
    created_at: float
    sha256: str
    size: int
    promoted_at: float | None
    pretrained: bool
    imported_from: str | None
    pretrained_horizons: tuple[float, ...]


@dataclass(frozen=True)
class ModelListEntry(ModelSummary):
    """One registered model; an entry of `monitor models list` and /api/v1/models.

    Attributes:
        serving: True for the serving model.
        quarantined: parts of the model that failed and do not serve until an operator activates the model again.
    """

    serving: bool
    quarantined: tuple[ModelPart, ...]


@dataclass(frozen=True)
class ModelDocument(ModelListEntry):
    """One registered model with its training report; result of `monitor models show` and /api/v1/model.

    Attributes:
        report: training report; None if there is none, or if it cannot be used.
        report_problem: reason why the report cannot be used; None if it can be used, or if there is no report.
    """

    report: TrainingReport | None
    report_problem: ReportProblem | None


@dataclass(frozen=True)
class ActivationDocument:
    """Result of `monitor models activate` and `monitor models rollback`.

    Attributes:
        serving: ID of the serving model.
    """

    serving: int


@dataclass(frozen=True)
class ModelExportDocument:
    """Result of `monitor models export`.

    Attributes:
        file: path of the file.
        model_id: ID of the model.
        bytes: size of the file in bytes.
    """

    file: str
    model_id: int
    bytes: int


@dataclass(frozen=True)
class ModelImportDocument:
    """Result of `monitor models import`.

    Attributes:
        model_id: ID in the registry.
        duplicate: True if the model had been registered before.
        imported_from: name of the host that trained the model.
        created_at: time of the training run in seconds since the epoch.
        detector: True if the file contains an anomaly detector.
        task_differences: fields of the forecasting task that differ from the configuration.
        notes: consequences of activating the model, one sentence each.
    """

    model_id: int
    duplicate: bool
    imported_from: str
    created_at: float
    detector: bool
    task_differences: tuple[str, ...]
    notes: tuple[str, ...]


def model_summary(model: RegisteredModel) -> ModelSummary:
    """Convert a registered model to its JSON summary."""
    return ModelSummary(
        id=model.id,
        created_at=model.created_at,
        sha256=model.sha256,
        size=model.size,
        promoted_at=model.promoted_at,
        pretrained=model.pretrained,
        imported_from=model.imported_from,
        pretrained_horizons=model.pretrained_horizons,
    )


def model_list_entry(
    model: RegisteredModel, active: int | None, quarantined: Sequence[QuarantinedModel] = ()
) -> ModelListEntry:
    """Convert a model to its entry of the list.

    Args:
        model: the model.
        active: ID of the serving model; None if none serves.
        quarantined: failures of all models.
    """
    return ModelListEntry(
        id=model.id,
        created_at=model.created_at,
        sha256=model.sha256,
        size=model.size,
        promoted_at=model.promoted_at,
        pretrained=model.pretrained,
        imported_from=model.imported_from,
        pretrained_horizons=model.pretrained_horizons,
        serving=model.id == active,
        quarantined=_quarantined_parts(model, quarantined),
    )


def _quarantined_parts(model: RegisteredModel, quarantined: Sequence[QuarantinedModel]) -> tuple[ModelPart, ...]:
    return tuple(failed.part for failed in quarantined if failed.model_id == model.id)


def model_document(
    model: RegisteredModel, active: int | None, quarantined: Sequence[QuarantinedModel] = ()
) -> ModelDocument:
    """Convert a model to its JSON document; for the arguments see `model_list_entry`."""
    return ModelDocument(
        id=model.id,
        created_at=model.created_at,
        sha256=model.sha256,
        size=model.size,
        promoted_at=model.promoted_at,
        pretrained=model.pretrained,
        imported_from=model.imported_from,
        pretrained_horizons=model.pretrained_horizons,
        serving=model.id == active,
        quarantined=_quarantined_parts(model, quarantined),
        report=model.report,
        report_problem=model.report_problem,
    )


def model_export_document(model_id: int, file: Path, size: int) -> ModelExportDocument:
    """Convert the result of a model export to its JSON document; `size` is in bytes."""
    return ModelExportDocument(file=str(file), model_id=model_id, bytes=size)


def model_import_document(result: ImportResult) -> ModelImportDocument:
    """Convert the result of a model import to its JSON document."""
    archive = result.archive
    return ModelImportDocument(
        model_id=result.model_id,
        duplicate=result.duplicate,
        imported_from=archive.host,
        created_at=archive.created_at,
        detector=archive.detector is not None,
        task_differences=result.task_differences,
        notes=_import_notes(result),
    )


def _import_notes(result: ImportResult) -> tuple[str, ...]:
    notes = []
    if result.task_differences:
        notes.append(
            f"it was trained for other {', '.join(result.task_differences)} than configured: at its next start the"
            " daemon replaces it by the pretrained model, unless the configuration rules that out"
        )
    if result.archive.detector is None:
        notes.append(
            "it has no detector: while it serves, anomalies are not detected until a training run adds a detector"
        )
    return tuple(notes)
