"""Errors of the package: limits of their messages."""

import pytest

from monitor.errors import MAX_PROBLEM_LENGTH, MAX_PROBLEMS, ConfigError, shortened

pytestmark = pytest.mark.unit


def test_config_error_limits_number_and_length_of_problems():
    error = ConfigError(["x" * 10_000] * (MAX_PROBLEMS + 5))
    assert len(error.problems) == MAX_PROBLEMS + 1
    assert error.problems[-1] == "5 more problems"
    assert max(map(len, error.problems)) <= MAX_PROBLEM_LENGTH


def test_shortened_keeps_both_ends():
    assert shortened("a" * 10 + "b" * 10, 9) == "aaa...bbb"
    assert shortened("short", 9) == "short"
