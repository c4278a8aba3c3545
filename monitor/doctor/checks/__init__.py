"""Checks of `monitor doctor`."""
