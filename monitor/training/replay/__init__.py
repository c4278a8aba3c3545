"""Replay of stored history after a training: predictions and anomalies that no daemon made at that time."""
