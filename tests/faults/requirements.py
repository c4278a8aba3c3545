"""Requirements of a case: privileges and tools."""

import os

import pytest


def missing(reason):
    """Skip the case for lack of a tool or privilege; fail in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"NOT TESTED: {reason}")
    pytest.skip(f"NOT TESTED: {reason}")
