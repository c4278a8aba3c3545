"""Time units: a minute, an hour, a day and a week in seconds."""

MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0
WEEK = 604800.0
