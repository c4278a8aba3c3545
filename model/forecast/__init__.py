"""Probability of high load: predictor, blend, calibration, fallback."""
