"""Replay of stored history after a training: predictions and anomalies."""
