"""Suggestions for misspelt names: the most similar known name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

CUTOFF = 0.5
"""Smallest similarity (0 to 1, see `difflib`) of a suggested name."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'X'?" for the most similar known name; an empty string if none is similar.

    Args:
        name: the unknown name.
        known: valid names.
    """
    matches = get_close_matches(name, list(known), n=1, cutoff=CUTOFF)
    return f"; did you mean {matches[0]!r}?" if matches else ""
