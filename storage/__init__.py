"""Memory: the database of samples, predictions, models and trainings. Knows SQL, and nothing of what it keeps."""

from storage.anomalies import AnomalyStore
from storage.database import Database, open_database
from storage.errors import (
    KeyTakenError,
    LockHeldError,
    SchemaTooNewError,
    StorageError,
    UnknownAnomalyError,
    UnknownModelError,
)
from storage.locks import ExclusiveLock, is_held
from storage.models import ModelRegistry
from storage.predictions import PredictionStore
from storage.records import (
    SAMPLE_FIELDS,
    Anomaly,
    Judgement,
    Maintenance,
    ModelRecord,
    Outcome,
    Prediction,
    Sample,
    TrainingRun,
)
from storage.samples import SampleStore, as_stored
from storage.schema import LOCAL_HOST
from storage.scores import ScoreStore
from storage.training_runs import TrainingRuns

__all__ = [
    "LOCAL_HOST",
    "SAMPLE_FIELDS",
    "Anomaly",
    "AnomalyStore",
    "Database",
    "ExclusiveLock",
    "Judgement",
    "KeyTakenError",
    "LockHeldError",
    "Maintenance",
    "ModelRecord",
    "ModelRegistry",
    "Outcome",
    "Prediction",
    "PredictionStore",
    "Sample",
    "SampleStore",
    "SchemaTooNewError",
    "ScoreStore",
    "StorageError",
    "TrainingRun",
    "TrainingRuns",
    "UnknownAnomalyError",
    "UnknownModelError",
    "as_stored",
    "is_held",
    "open_database",
]
