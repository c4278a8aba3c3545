"""Durations in seconds: the unit of all times in this package."""

MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0
