"""Anomaly detection: residual-based scores, alarm thresholds from block maxima, anomaly events."""
