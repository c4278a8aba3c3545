"""Paths of the standard streams, for arguments that name a file or `-`."""

from __future__ import annotations

from pathlib import Path

STANDARD_INPUT = Path("/dev/stdin")
STANDARD_OUTPUT = Path("/dev/stdout")
