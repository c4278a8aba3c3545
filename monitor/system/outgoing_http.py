"""Outgoing HTTP requests: redirects as errors, and the header `Retry-After`."""

from __future__ import annotations

import urllib.request
from email.utils import parsedate_to_datetime
from typing import Any

MAX_DIGITS = 10
"""Digits of a number of seconds that are read: a longer number is some centuries in any case."""


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Handler that treats a redirect as an error: credentials are for the configured server only."""

    def redirect_request(self, *_: Any) -> None:
        """Return None: no request follows."""


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds in a header `Retry-After`, which has seconds or a date; None if it has neither.

    Source: RFC 9110, section 10.2.3.

    Args:
        value: value of the header; None if it is missing.
        now: seconds since the epoch.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:MAX_DIGITS])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None
