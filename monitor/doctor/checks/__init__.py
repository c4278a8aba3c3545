"""Checks of `monitor doctor`, one module per subject."""
