"""Online engine: live serving and backtest replay of a model with recalibration, fallback and warnings."""

from model.forecast.online.decisions import FallbackBaseline, FallbackDecision, fallback_active
from model.forecast.online.engine import OnlineEngine
from model.forecast.online.fallback import decide_fallbacks
from model.forecast.online.online_forecast import OnlineForecast
from model.forecast.online.prediction_log import PredictionLog

__all__ = [
    "FallbackBaseline",
    "FallbackDecision",
    "OnlineEngine",
    "OnlineForecast",
    "PredictionLog",
    "decide_fallbacks",
    "fallback_active",
]
