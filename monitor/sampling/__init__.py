"""Sampling of host metrics."""
