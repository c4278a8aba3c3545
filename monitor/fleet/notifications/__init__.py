"""Notifications of a fleet: high-load events of its hosts."""
