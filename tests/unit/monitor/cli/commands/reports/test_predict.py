"""`monitor predict`."""

import time

import pytest

from monitor.cli.exit_codes import ExitCode

pytestmark = pytest.mark.unit


def test_predict_without_a_model_exits_with_4(run):
    run.add_samples(time.time())
    result = run("predict", "--json")
    assert (result.code, result.output) == (ExitCode.NOT_ENOUGH_DATA, "")
    assert len(result.errors.splitlines()) == 1


@pytest.mark.parametrize("at", ["now", "-2h", "2026-03-01T12:00:00", "1000"])
def test_predict_accepts_absolute_and_relative_times(run, at):
    run.add_samples(time.time())
    assert run("predict", "--at", at).code == ExitCode.NOT_ENOUGH_DATA


@pytest.mark.parametrize("at", ["nan", "1e300", "yesterday"])
def test_predict_rejects_other_times(run, at):
    result = run("predict", "--at", at)
    assert (result.code, result.errors.splitlines()[1]) == (ExitCode.USAGE, "try: monitor predict --help")
