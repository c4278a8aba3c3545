"""Grafana dashboards: content, panels and layout."""
