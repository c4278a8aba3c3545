"""Diagnostics of a training: gradient health, gradient check and fit report."""
