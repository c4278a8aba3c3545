"""Prometheus remote write: metrics of the hosts of a fleet, sent to a server after each step."""
