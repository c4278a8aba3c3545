"""Prometheus metrics of the daemon: one module per subject.

`StateCollector` in collector.py calls the functions of the modules.
"""
