"""Scheduled jobs of the daemon, one per module."""
