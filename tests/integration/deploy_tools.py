"""Tools that check the files under deploy/, in their own environment."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def deploy_tool(name):
    """Return the path of a tool of `scripts/venv --deploy`; skip the test without it, but fail in CI."""
    path = shutil.which(name, path=f"{ROOT / '.venv/deploy/bin'}:{os.environ['PATH']}")
    if path is None:
        message = f"NOT TESTED: {name} is not installed (scripts/venv --deploy)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path
