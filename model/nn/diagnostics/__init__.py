"""Diagnostics of training: gradient health, gradient check and fit report."""
