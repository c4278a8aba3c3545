"""Models of one host: registry with serving history and quarantine, and training runs."""

from storage.models.registry import ModelRegistry
from storage.models.serving_history import Fallbacks, ModelPart, QuarantinedModel
from storage.models.training_runs import TrainingRunRepository

__all__ = ["Fallbacks", "ModelPart", "ModelRegistry", "QuarantinedModel", "TrainingRunRepository"]
