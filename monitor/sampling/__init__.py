"""Samples of host metrics: live sampling, trace files and imports."""
