"""Prometheus remote write: metrics of the hosts of a fleet, sent after each step."""
