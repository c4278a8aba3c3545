"""Loaded model: values that the registry follower and the serving model exchange."""

from __future__ import annotations

from dataclasses import dataclass

from model.forecast.online import OnlineEngine
from model.forecast.predictor import Predictor

Serving = tuple[int, Predictor] | None
"""ID and predictor of the serving model; None if there is none."""


@dataclass(frozen=True)
class ModelFailure:
    """Error that the serving model with an ID raised, or the reason why its output was unusable."""

    model_id: int
    error: Exception


@dataclass(frozen=True)
class LoadedModel:
    """Model that another thread has loaded, with its engine.

    Attributes:
        serving: ID and predictor; None if no model can be loaded.
        engine: engine of the predictor, which no other thread uses any longer.
        newest_at: time of the newest sample that the engine has seen, -inf if there is none; None if the history
            could not be read.
        load_failed: True if a newer model has been quarantined, so that an earlier model or none serves.
    """

    serving: Serving
    engine: OnlineEngine
    newest_at: float | None
    load_failed: bool = False
