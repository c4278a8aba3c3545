"""Scheduled jobs of the daemon: one module per job."""
