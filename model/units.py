"""Time units: a minute, an hour and a day in seconds."""

MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0
