"""Storage of samples, predictions, models and anomalies: all SQL of the project."""

import storage.fleet.tables  # noqa: F401  the schema of every database includes the tables of a fleet
from storage.anomalies import AnomalyRepository
from storage.blocks import COMPACTED_TABLES, Compactor
from storage.capacity import OUTCOME_UNKNOWN, CapacityRepository, CapacityResource, CapacityRow
from storage.cycles import CycleRepository
from storage.database import Database, open_database
from storage.errors import (
    DuplicateKeyError,
    LockHeldError,
    SchemaTooNewError,
    StorageError,
    StorageErrorKind,
    UnknownAnomalyError,
    UnknownModelError,
)
from storage.events import ProcessSnapshot, ProcessSnapshotRepository, ProcessUsage
from storage.locks import ExclusiveLock, is_locked
from storage.models import ModelPart, ModelRegistry, QuarantinedModel, TrainingRunRepository
from storage.notifications import (
    ChannelHealth,
    Notification,
    NotificationRepository,
    NotificationStatus,
    NotifiedIncident,
)
from storage.predictions import PredictionRepository
from storage.quantization import quantize_number, quantize_sample, quantize_values
from storage.records import (
    SAMPLE_FIELDS,
    AnomalyPeak,
    AnomalyRecord,
    MaintenanceWindow,
    ModelRecord,
    Onset,
    Prediction,
    Sample,
    ScoreRow,
    TrainingOutcome,
    TrainingRun,
    Verdict,
)
from storage.samples.merge import MergedRows
from storage.samples.repository import SampleRepository
from storage.samples.snapshot import SampleSnapshot
from storage.schema import LOCAL_HOST_ID
from storage.scores import ScoreRepository

__all__ = [
    "COMPACTED_TABLES",
    "LOCAL_HOST_ID",
    "OUTCOME_UNKNOWN",
    "SAMPLE_FIELDS",
    "AnomalyPeak",
    "AnomalyRecord",
    "AnomalyRepository",
    "CapacityRepository",
    "CapacityResource",
    "CapacityRow",
    "ChannelHealth",
    "Compactor",
    "CycleRepository",
    "Database",
    "DuplicateKeyError",
    "ExclusiveLock",
    "LockHeldError",
    "MaintenanceWindow",
    "MergedRows",
    "ModelPart",
    "ModelRecord",
    "ModelRegistry",
    "Notification",
    "NotificationRepository",
    "NotificationStatus",
    "NotifiedIncident",
    "Onset",
    "Prediction",
    "PredictionRepository",
    "ProcessSnapshot",
    "ProcessSnapshotRepository",
    "ProcessUsage",
    "QuarantinedModel",
    "Sample",
    "SampleRepository",
    "SampleSnapshot",
    "SchemaTooNewError",
    "ScoreRepository",
    "ScoreRow",
    "StorageError",
    "StorageErrorKind",
    "TrainingOutcome",
    "TrainingRun",
    "TrainingRunRepository",
    "UnknownAnomalyError",
    "UnknownModelError",
    "Verdict",
    "is_locked",
    "open_database",
    "quantize_number",
    "quantize_sample",
    "quantize_values",
]
