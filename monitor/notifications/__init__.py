"""Notifications: events of warnings and anomalies, their queue, and their delivery to channels."""
