"""Lengths of time in seconds, which is what every time here is counted in."""

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
