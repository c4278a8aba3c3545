"""Scheduled jobs of the daemon."""
