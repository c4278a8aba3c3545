"""Checks of `monitor doctor`: one module per subject.

The tables `HOST_CHECKS` and `CONTEXT_CHECKS` in monitor/doctor/runner.py list all checks.
"""
