"""Replay of stored history after a training run: predictions and anomalies."""
