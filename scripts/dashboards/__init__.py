"""The dashboards for Grafana: what their panels are made of, and one module for each."""
